"""Sum up what `make test` did, from _build/reports: a line a stage, and the line by which a run is judged.

    python3 .ci/summary.py STATUS SECONDS

STATUS is that of `make test`, SECONDS what all of it took. The exit status is 1 if anything failed, or did
not run.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

make_status, seconds = int(sys.argv[1]), int(sys.argv[2])
reports = Path("_build/reports")
stages = {
    "lint": "style, types and spelling",
    "unit": "unit tests, doctests, source rules",
    "notebooks": "every notebook runs",
    "build": "the book builds",
    "pages": "the built pages",
    "browser": "the built pages in a browser",
    "teach": "the teacher's pack builds",
    "pack": "the teacher's pack",
}
total = {"passed": 0, "failed": 0, "skipped": 0}
cifar10 = {"ran": 0, "skipped": 0}

log = reports / "stages"
ran = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
took = {name: (int(code), int(duration)) for name, code, duration in ran}

print("\n== summary")
print(f"{'stage':<40}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
print(f"{'installation':<40}{'':>25}{seconds - sum(duration for _, duration in took.values()):>9}")
for name, title in stages.items():
    label = f"{name}: {title}"
    if name not in took:
        print(f"{label:<40}   did not run")
        continue
    code, duration = took[name]
    count = {"passed": int(code == 0), "failed": int(code != 0), "skipped": 0}
    report = reports / f"{name}.xml"
    if report.exists():
        count = dict.fromkeys(total, 0)
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  pytest wrote it
            bad = case.find("failure") is not None or case.find("error") is not None
            skipped = case.find("skipped") is not None
            count["failed" if bad else "skipped" if skipped else "passed"] += 1
            for entry in case.iter("property"):
                if entry.get("name") == "cifar10":
                    cifar10[entry.get("value")] += 1
        if code and not count["failed"]:
            count["failed"] = 1  # the stage itself broke, before or after its tests
    for key in total:
        total[key] += count[key]
    print(f"{label:<40}{count['passed']:>8}{count['failed']:>8}{count['skipped']:>9}{duration:>9}")

data = bool(os.environ.get("LRLIB_DATA"))
print(
    "CIFAR-10: {} tests ran, {} skipped; the data {}.".format(
        cifar10["ran"], cifar10["skipped"], "is there" if data else "is not there, so they may skip"
    )
)
problems = []
if make_status:
    problems.append(f"make test ended with {make_status}")
if data and (cifar10["skipped"] or not cifar10["ran"]):
    problems.append("with the data there, its tests must run, and none may skip")
if not make_status and set(stages) != set(took):
    problems.append("a stage did not run")
if problems:
    total["failed"] = max(total["failed"], 1)
    print("Failed: " + "; ".join(problems) + ".")
print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped in {seconds} s")
sys.exit(bool(problems))
