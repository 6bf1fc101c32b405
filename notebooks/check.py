"""The notebooks of this folder, from top to bottom, against the Amanat at AMANAT_URL and PGHOST:PGPORT, with the key AMANAT_KEY.

    check.py --work FOLDER [--r] [--keep FOLDER]

Prints a line for each check, `ok` or `FAIL`, then `N of N`. A notebook must run to its end, and what it shows must be what the server
answers to the same questions over HTTP. Without --r the notebook in R is left out aloud; where CI is set, that is a failure.
"""

import argparse
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import nbclient
import nbformat
from jupyter_client.manager import AsyncKernelManager

HERE = pathlib.Path(__file__).parent
WEB, KEY = os.environ["AMANAT_URL"], os.environ["AMANAT_KEY"]
REFUSED = "select * from victims where year = 2024"
CHECKS = []


def check(name, condition, found=""):
    CHECKS.append(bool(condition))
    print(f"ok    {name}" if condition else f"FAIL  {name}: {found}", flush=True)
    return bool(condition)


def answer(path, body=None):
    """What the server says over HTTP; a refusal is an answer, too."""
    request = urllib.request.Request(WEB + path, data=body and json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {KEY}")
    try:
        with urllib.request.urlopen(request) as said:
            return json.load(said)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def python(work):
    """What the notebook in Python printed and showed, and its figures; None when it did not run."""
    notebook = nbformat.read(HERE / "amanat.ipynb", as_version=4)
    empty = all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)
    check("python: no outputs are committed", empty, "clear them")
    # Sockets of files: no port is open to others.
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", connection_file=str(work.parent / "kernel.json"))
    client = nbclient.NotebookClient(notebook, km=manager, timeout=60, resources={"metadata": {"path": str(work)}})
    try:
        client.execute(cleanup_kc=True)
    except (nbclient.exceptions.CellExecutionError, nbclient.exceptions.CellTimeoutError) as error:
        check("python: runs from top to bottom", False, re.sub(r"\x1b\[[0-9;]*m", "", str(error))[-2000:])
        return None, []
    check("python: runs from top to bottom", True)
    nbformat.write(notebook, work / "amanat.ipynb")
    text, figures, complaints = [], [], []
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if output.output_type == "stream":
            (complaints if output.name == "stderr" else text).append(output.text)
        else:
            text.append(output.data.get("text/plain", ""))
            if "image/png" in output.data:
                figures.append(base64.b64decode(output.data["image/png"]))
    check("python: nothing is warned of", not complaints, "".join(complaints)[:500])
    return "\n".join(text), figures


def r(work):
    """The same of the notebook in R."""
    source = (HERE / "amanat.Rmd").read_text()
    check("R: no outputs are committed", not re.search(r"^## +\[?\d|^!\[", source, re.M), "clear them")
    # Without error = FALSE knitr writes an error down and goes on.
    script = f"knitr::opts_chunk$set(error = FALSE); invisible(knitr::knit('{HERE / 'amanat.Rmd'}', 'amanat.md', quiet = TRUE))"
    done = subprocess.run(["Rscript", "--vanilla", "-e", script], cwd=work, text=True, capture_output=True, timeout=120)
    if not check("R: runs from top to bottom", done.returncode == 0, done.stderr[-2000:]):
        return None, []
    text = (work / "amanat.md").read_text()
    check("R: nothing is warned of", "## Warning" not in text, text[text.find("## Warning"):][:500])
    return text, [path.read_bytes() for path in (work / "figure").glob("*.png")]


def shows(language, text, figures):
    """That what must be in a notebook is in it, as the server says."""
    number = answer("/v1/indicators/V01/data?time_period=2025&province=_T&sex=_T&age_group=_T")
    at = {column["name"]: place for place, column in enumerate(number["columns"])}
    value, low, high, status = (number["rows"][0][at[name]] for name in ("value", "lo95", "hi95", "obs_status"))
    line = f"V01, 2025: {value} [{low} to {high}], status {status}"
    check(f"{language}: one number with its interval and status", line in text, line)
    check(f"{language}: tables with what they hold", all(part in text for part in ("v01", "Victims identified (actual)", "judgments")))
    check(f"{language}: columns with their code lists", "reference.exploitation_form" in text)
    check(f"{language}: how an indicator counts", "A person counts once" in text)
    check(f"{language}: a chart", len(figures) == 1 and len(figures[0]) > 4000, [len(figure) for figure in figures])
    asked = answer("/v1/sql", {"companions": True, "sql": "select p.en as province, count(*) as n from victims v join reference.province p "
                               "on v.province = p.code where v.year = 2024 and v.status = 'actual' group by p.en"})
    for row in (dict(zip([column["name"] for column in asked["columns"]], row)) for row in asked["rows"]):
        if row["n"] is None:
            check(f"{language}: {row['province']} is hidden", re.search(rf"hidden: .*{row['province']}", text), "it is not said to be")
        else:
            line = f"{row['province']}: {row['n']} [{row['n_lo95']} to {row['n_hi95']}], status {row['n_status']}"
            check(f"{language}: the protected number of {row['province']}", line in text, line)
    refusal = answer("/v1/sql", {"sql": REFUSED})
    check(f"{language}: a refusal with its code", refusal["detail"] in text and "PRIV-1003" in text, refusal)
    check(f"{language}: and its hint", refusal["hint"] in text, refusal["hint"])
    check(f"{language}: what is asked instead is answered", re.search(r"\bF +child +[\d.]+", text))
    check(f"{language}: the address to cite", number["citation"]["href"] in text, number["citation"]["href"])
    check(f"{language}: methodology and licence", all(number["citation"][name] in text for name in ("methodology", "licence")))
    check(f"{language}: the key is nowhere in it", KEY not in text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--r", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    for language, run in {"python": python, "R": r}.items():
        if language == "R" and not args.r:
            print("SKIPPED: no R with RPostgreSQL and knitr (Debian: r-base-core r-cran-rpostgresql r-cran-knitr)", file=sys.stderr)
            if os.environ.get("CI"):
                check("R: runs from top to bottom", False, "R is not here")
            continue
        work = args.work / language
        work.mkdir()
        text, figures = run(work)
        if text is not None:
            shows(language, text, figures)
        if args.keep:
            shutil.copytree(work, args.keep, dirs_exist_ok=True)
    print(f"{sum(CHECKS)} of {len(CHECKS)}")
    sys.exit(not all(CHECKS))


main()
