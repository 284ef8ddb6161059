"""What a class hands in: folders, zips of learning platforms, and all that comes with them."""

from __future__ import annotations

import io
import os
import zipfile

from lrbook.classroom import assignment, inbox, merge
from lrbook.classroom.inbox import handed_in
from lrlib.runs.store import write_run

SIX = assignment(6, schedules=["constant", "linear"])


def one_sentence(study, file):
    (finding,) = [finding for finding in study.findings if finding.file == file]
    return finding.sentence


def zipped(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_a_zip_of_a_learning_platform_is_read(folder, tmp_path):
    files = {
        f"{path.parent.name}/{path.name}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    inner = zipped({"g/again.json": files.popitem()[1]})
    litter = {"__MACOSX/._a.json": b"?", ".DS_Store": b"?"}
    (tmp_path / "class.zip").write_bytes(zipped({**files, **litter, "late/ada.zip": inner}))
    study = merge(tmp_path / "class.zip", assigned=SIX)
    assert study.findings == ()
    assert len(study.runs) == 6
    assert "class.zip: late/ada.zip: g/again.json" in study.runs
    place = tmp_path / "folder"
    place.mkdir()
    (tmp_path / "class.zip").rename(place / "export.zip")
    assert len(merge(place, assigned=SIX).runs) == 6


def test_a_folder_with_a_zip_for_each_student_is_read_without_what_systems_leave_behind(tmp_path):
    for student in ("ada", "emmy"):
        files = {f"{student}/record.json": student.encode(), f"__MACOSX/{student}/._record.json": b"?"}
        (tmp_path / f"{student}.zip").write_bytes(zipped(files))
    for name in (".DS_Store", "desktop.ini", "record.json.lock", ".ipynb_checkpoints/a.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("?")
    (tmp_path / "late").mkdir()
    (tmp_path / "late/grace.json").write_text("grace")
    assert list(handed_in(tmp_path)) == [
        ("ada.zip: ada/record.json", b"ada", ""),
        ("emmy.zip: emmy/record.json", b"emmy", ""),
        ("late/grace.json", b"grace", ""),
    ]


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path):
    data = zipped({"1.json": b"first", "2.json": b"second"})
    # Bit 0 of the flags of a member's two headers: encrypted.
    locked = bytearray(data)
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[data.index(header) + flags] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as archive:
        archive.writestr("1.json", b"first")
        archive.writestr("2.json", b"second")
    (tmp_path / "plain.zip").write_bytes((tmp_path / "plain.zip").read_bytes().replace(b"first", b"fIrst"))
    (tmp_path / "nowhere.json").symlink_to(tmp_path / "gone.json")
    found = {file.name: file for file in handed_in(tmp_path)}
    assert "(locked with a password); have it sent again" in found["locked.zip: 1.json"].problem
    assert "(damaged); have it sent again" in found["plain.zip: 1.json"].problem
    assert found["nowhere.json"].problem == "no file that can be read"
    assert {name for name, file in found.items() if file.data == b"second"} == {
        "locked.zip: 2.json",
        "plain.zip: 2.json",
    }
    assert len(found) == 5


def test_a_hostile_zip_does_no_harm(folder, tmp_path):
    record = (folder / "a.json").read_bytes()
    hostile = {"../../escaped.json": record, "/absolute.json": record, "bomb.json": b"0" * 6_000_000}
    (folder / "hostile.zip").write_bytes(zipped({**hostile, "bell\a.json": b"x"}))
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    matryoshka = zipped({"1.zip": zipped({"2.zip": zipped({"3.json": record})})})
    (folder / "deep.zip").write_bytes(matryoshka)
    before = set(tmp_path.rglob("*"))
    study = merge(folder, assigned=SIX)
    assert set(tmp_path.rglob("*")) == before
    sentences = {finding.file: finding.sentence for finding in study.findings}
    assert sentences["hostile.zip: bomb.json"] == "more than 5 MB, which no record has"
    assert sentences["hostile.zip: ../../escaped.json"] == "the very record of a.json, copied"
    assert "hostile.zip: bell?.json" in sentences
    assert sentences["broken.zip"].startswith("a zip that cannot be opened")
    assert sentences["deep.zip: 1.zip: 2.zip"] == "a zip in a zip in a zip; unpack it by hand"
    assert len(study.runs) == 6


def test_files_whose_names_look_alike_are_both_kept(folder, run_of, tmp_path):
    one, two = (
        write_run(run_of("linear", seed, 0.98), tmp_path / f"{seed}.json").read_bytes() for seed in (14, 15)
    )
    (folder / "same.zip").write_bytes(zipped({"bell\a.json": one, "bell\b.json": two}))
    os.mkfifo(folder / "pipe.json")
    study = merge(folder)
    assert {"same.zip: bell?.json", "same.zip: bell?.json (2)"} <= set(study.runs)
    assert one_sentence(study, "pipe.json") == "no file that can be read"
    assert (study.files, len(study.runs)) == (9, 8)


def test_a_zip_may_not_fill_the_memory(folder, tmp_path, monkeypatch):
    files = {f"{i}.json": b"0" * 1_000_000 for i in range(4)}
    (folder / "large.zip").write_bytes(zipped(files))
    monkeypatch.setattr(inbox, "MOST_IN_ALL", 2_500_000)
    study = merge(folder, assigned=SIX)
    assert one_sentence(study, "large.zip: 2.json").startswith("more than can be read at once")
    assert len(study.runs) == 6


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.json").write_text("secret")
    place = tmp_path / "class"
    place.mkdir()
    (place / "a.json").write_text("mine")
    (place / "inside.json").symlink_to(place / "a.json")
    (place / "out.json").symlink_to(tmp_path / "secret.json")
    (place / "folder").symlink_to(tmp_path, target_is_directory=True)
    assert list(handed_in(place)) == [
        ("a.json", b"mine", ""),
        ("inside.json", b"mine", ""),
        ("out.json", b"", "a link that leads out of the folder; it is not followed"),
    ]


def test_a_zip_may_not_name_files_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(inbox, "MOST_FILES", 3)
    (tmp_path / "many.zip").write_bytes(zipped({f"{i}.json": b"x" for i in range(10)}))
    found = list(handed_in(tmp_path))
    assert [file.name for file in found] == [f"many.zip: {i}.json" for i in range(4)]
    assert found[-1].problem == "and all after it: more than 3 files; merge a part of them"


def test_a_zip_in_a_zip_may_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(inbox, "MOST_STUDENT", 1_000_000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:  # stored, so that the outer zip is the one that packs
        archive.writestr("a.bin", b"0" * 2_000_000)
    (tmp_path / "outer.zip").write_bytes(zipped({"inner.zip": bomb.getvalue()}))
    assert list(handed_in(tmp_path)) == [("outer.zip: inner.zip", b"", "more than 1 MB, which no record has")]


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("x")

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refused)
    ((_, _, problem),) = handed_in(tmp_path)
    assert problem == "cannot be read (Permission denied); look at its rights, and at the disk"


def test_html_in_a_name_or_a_record_does_not_reach_a_report(tmp_path):
    script = "<script>alert(1)</script>"
    (tmp_path / "x<img src=x>.json").write_text('{"schema_version": 1, "config": {}}')
    (tmp_path / "b.json").write_text(f'{{"schema_version": "{script}"}}')
    list_ = assignment([f"Ada {script}"])
    report = merge(tmp_path, assigned=list_).report()
    assert "number 1 (Ada ?script?alert(1)?/script?)" in report
    assert "x?img src=x?.json" in report
    assert "?script?alert" in report.split("b.json")[1]
    assert not set("<>") & set(report)
