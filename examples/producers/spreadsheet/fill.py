"""What an officer does with the template: fills rows by its drop-downs, and saves the sheet as CSV.

    python fill.py victims.xlsx rows.csv --rows 10

It reads the drop-downs as a spreadsheet program does, from the workbook, and checks that each column that must be filled has one
or takes text. Nobody in the rows exists: names are put together from common ones.
"""

import argparse
import csv

from openpyxl import load_workbook
from openpyxl.utils import range_boundaries

GIVEN = ["Gulnaz", "Shagufta", "Nighat", "Bakhtawar", "شگفتہ", "Kalsoom", "Dilshad"]
SURNAMES = ["Rajput", "Awan", "Khokhar", "بی بی", "Soomro"]


def choices(book):
    """What the drop-down of each column offers."""
    offered = {}
    for validation in book["rows"].data_validations.dataValidation:
        sheet, cells = validation.formula1.lstrip("=").split("!")
        column, first, _, last = range_boundaries(cells.replace("$", ""))
        values = [book[sheet].cell(row, column).value for row in range(first, last + 1)]
        for cells in validation.sqref.ranges:
            offered[cells.min_col] = values
    return offered


def cell(name, number, offered):
    texts = {
        "record": f"R-{number}", "recorded_on": "2026-02-03", "occurred_on": "2026-02-01",
        "name": f"{GIVEN[number % len(GIVEN)]} {SURNAMES[number % len(SURNAMES)]}", "born": f"{1 + number % 28}/3/2006",
        "document": f"33102-876{5000 + number}-{number % 9}", "home_district": "Kasur", "mother": "Zarina Bibi",
    }
    if name in texts:
        return texts[name]
    known = [choice for choice in offered or [] if not choice.startswith("_X")]
    return known[number % len(known)] if known else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("template")
    parser.add_argument("csv")
    parser.add_argument("--rows", type=int, default=10)
    arguments = parser.parse_args()
    book = load_workbook(arguments.template)
    sheet, offered = book["rows"], choices(book)
    header = [head.value for head in sheet[1]]
    for head in sheet[1]:
        assert head.comment and len(head.comment.text) > 10, f"{head.value} is not explained"
        must = head.comment.text.startswith("Must be filled.")
        assert not must or cell(head.value, 0, offered.get(head.column)), f"{head.value} must be filled, and nothing can be chosen"
    for number in range(arguments.rows):
        for at, name in enumerate(header, 1):
            sheet.cell(number + 2, at).value = cell(name, number, offered.get(at))
    book.save(arguments.template)
    with open(arguments.csv, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for row in load_workbook(arguments.template)["rows"].iter_rows(max_row=arguments.rows + 1, values_only=True):
            writer.writerow(["" if value is None else value for value in row])
    print(f"{arguments.rows} rows, {len(header)} columns, {len(offered)} drop-downs")


main()
