"""Text that people edit: one reader for all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrlib._files import TextError, WriteError, read_text, write_atomically


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_in_front_are_left_out(encoding, tmp_path):
    (tmp_path / "a.txt").write_bytes("Łódź, 李明".encode(encoding))
    assert read_text(tmp_path / "a.txt") == "Łódź, 李明"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Zoë".encode("latin-1"), "is not in UTF-8 (see byte 3); save it again with the encoding UTF-8"),
        ("Zoë".encode("utf-16-le"), "is not in UTF-8 (see byte 5)"),
        ("Ada".encode("utf-16-le"), "is not a text file (it holds null bytes)"),
        (b"\xff\xfe\x00", "is not in UTF-8"),
        (b"x" * 11, "has more than 1e-05 MB"),
    ],
)
def test_what_is_no_text_is_told_what_to_do(content, words, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(TextError) as caught:
        read_text(tmp_path / "a.txt", most=10)
    assert str(caught.value).startswith(words)


def test_a_failure_to_read_is_not_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "none.txt")
    with pytest.raises(TextError, match=r"^cannot be read \(Is a directory\)$"):
        read_text(tmp_path)
    with pytest.raises(TextError, match="cannot be read"):
        read_text(Path("null\0byte"))


@pytest.mark.parametrize("folder", [".", "", "/"])
def test_a_folder_in_place_of_a_file_is_one_sentence(folder):
    with pytest.raises(WriteError, match=r"is a folder; name a file in it$"):
        write_atomically(Path(folder), lambda file: file.write(b"x"))
