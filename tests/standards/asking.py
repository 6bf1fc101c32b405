"""How the checks ask, and what they count."""

import json
import os
import sys
import traceback
import urllib.request

ADDRESS = os.environ["ADDRESS"]
WORK = os.environ["WORK"]
passed, failed = [], []


def get(path, accept=None):
    """The bytes of an answer, and its headers."""
    request = urllib.request.Request(ADDRESS + path, headers={"accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read(), answer.headers


def text(path, accept=None):
    return get(path, accept)[0].decode()


def document(path, accept=None):
    return json.loads(text(path, accept))


def rows(path):
    """Rows of the indicator API as dictionaries: what every other form is compared with."""
    answer = document(path)
    names = [column["name"] for column in answer["columns"]]
    found = [dict(zip(names, row)) for row in answer["rows"]]
    assert len(found) == answer["row_count"] > 0, path
    return found


def indicators():
    return [indicator["id"] for indicator in document("/v1/indicators")["indicators"]]


def equal(what, one, other):
    """Both are the same set of observations; says where they first differ."""
    missing = {key: value for key, value in one.items() if other.get(key, "absent") != value}
    surplus = {key: value for key, value in other.items() if key not in one}
    if missing or surplus:
        key = next(iter(missing or surplus))
        raise AssertionError(f"{what}: {len(missing)} differ, {len(surplus)} too many; {key}: {one.get(key, 'absent')} is {other.get(key, 'absent')}")


def check(name):
    """A check: it passes when its function returns; what that returns is printed."""

    def run(function):
        try:
            said = function()
        except Exception as error:  # noqa: BLE001 - every failure is counted, whatever it is
            failed.append(name)
            print(f"FAILED {name}: {error}")
            traceback.print_exc(file=sys.stderr)
        else:
            passed.append(name)
            print(f"ok     {name}" + (f": {said}" if said else ""))
        sys.stdout.flush()
        return function

    return run


def conclude():
    print(f"{len(passed)} of {len(passed) + len(failed)} checks")
    sys.exit(1 if failed else 0)
