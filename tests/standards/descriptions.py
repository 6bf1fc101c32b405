"""Data Packages and the archive by frictionless, DCAT by SHACL shapes."""

import io
import json
import zipfile
from pathlib import Path

import frictionless
import pyshacl
import rdflib

from asking import ADDRESS, WORK, check, document, get, indicators

HERE = Path(__file__).parent


def valid(descriptor):
    report = frictionless.validate(descriptor)
    errors = [error.message for task in report.tasks for error in task.errors] + [error.message for error in report.errors]
    assert report.valid, errors[:3]
    return sum(task.stats["rows"] for task in report.tasks)


@check("the Data Package of an edition is valid with all of its data, over HTTP")
def package_of_edition():
    rows = valid(f"{ADDRESS}/v1/editions/1/datapackage.json")
    told = sum(document(f"/v1/indicators/{indicator}")["row_count"] for indicator in indicators())
    assert rows == told, f"{rows} of {told}"
    return f"{rows} rows"


@check("the Data Package of an indicator is valid with its data")
def package_of_indicator():
    for indicator in ("V01", "C01"):
        assert valid(f"{ADDRESS}/v1/indicators/{indicator}/datapackage.json") == document(f"/v1/indicators/{indicator}")["row_count"]


@check("a package whose data were changed is not valid")
def planted():
    body, _ = get("/v1/editions/latest/archive.zip")
    folder = Path(WORK) / "changed"
    zipfile.ZipFile(io.BytesIO(body)).extractall(folder)
    file = folder / "data" / "V01.csv"
    file.write_text(file.read_text().replace(",_T,", ",NOPE,", 1))
    assert not frictionless.validate(str(folder / "datapackage.json")).valid


@check("the archive of an edition is whole, valid as a package, and the same bytes each time")
def archive():
    body, headers = get("/v1/editions/1/archive.zip")
    again, _ = get("/v1/editions/latest/archive.zip")
    assert body == again
    file = zipfile.ZipFile(io.BytesIO(body))
    assert file.testzip() is None
    folder = Path(WORK) / "archive"
    file.extractall(folder)
    valid(str(folder / "datapackage.json"))
    for indicator in indicators():
        assert (folder / "data" / f"{indicator}.csv").read_bytes() == get(f"/v1/indicators/{indicator}/data?format=csv&edition=1")[0]
        assert json.loads((folder / "definitions" / f"{indicator}.json").read_text())["id"] == indicator
    assert "SYNTHETIC" in (folder / "README.md").read_text()
    return f"{len(body) // 1024} KiB, {len(file.namelist())} files"


@check("DCAT: the catalogue has the shape that portals harvest, and every distribution answers")
def dcat():
    graph = rdflib.Graph().parse(data=get("/v1/dcat.jsonld")[0], format="json-ld", publicID=f"{ADDRESS}/v1/dcat.jsonld")
    shapes = rdflib.Graph().parse(HERE / "dcat.ttl")
    conforms, _, text = pyshacl.validate(graph, shacl_graph=shapes)
    assert conforms, text[:500]
    namespace = rdflib.Namespace("http://www.w3.org/ns/dcat#")
    datasets = set(graph.subjects(rdflib.RDF.type, namespace.Dataset))
    assert {str(dataset).rsplit("/", 1)[1] for dataset in datasets} == set(indicators())
    urls = {str(url) for url in graph.objects(None, namespace.downloadURL)}
    for url in urls:
        get(url.removeprefix(ADDRESS))
    # The shapes can fail: a dataset without a title does not pass.
    dataset = next(iter(datasets))
    graph.remove((dataset, rdflib.DCTERMS.title, None))
    assert not pyshacl.validate(graph, shacl_graph=shapes)[0]
    return f"{len(datasets)} datasets, {len(urls)} distributions"
