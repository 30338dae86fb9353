from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from trackbook.artifacts.catalog import catalog_of
from trackbook.store.content_files import ContentFiles
from trackbook.store.paths import files_folder
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking import project as project_module
from trackbook.tracking.run import Run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run() -> Iterator[Run]:
    made = tb.init(project="p", name="a")
    yield made
    made.finish()


@pytest.fixture
def kept(store_dir: Path) -> ContentFiles:
    return ContentFiles(store_dir / files_folder("p"))


def write(path: str, content: str = "words") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def names_of(kept: ContentFiles) -> list[str]:
    return sorted(path.name for path in kept.folder.rglob("*") if path.is_file() and not path.name.startswith("."))


# --- versions ----------------------------------------------------------------------------------------------------------


def test_file_is_kept_as_a_version(run: Run, kept: ContentFiles) -> None:
    artifact = run.log_artifact(write("model.pt"), name="model", type="model")
    assert (artifact.name, artifact.version, artifact.type, artifact.qualified_name) == (
        "model",
        "v0",
        "model",
        "model:v0",
    )
    (entry,) = artifact.files()
    assert (entry.path, entry.digest, entry.size) == ("model.pt", hashlib.sha256(b"words").hexdigest(), 5)
    assert kept.read(entry.digest) == b"words"
    assert artifact.read("model.pt") == b"words"
    assert (artifact.size, artifact.made_by, artifact.used_by) == (5, [run.id], [])


def test_changed_content_is_a_new_version_and_same_content_is_not(run: Run) -> None:
    file = write("model.pt", "one")
    assert run.log_artifact(file, name="model").version == "v0"
    assert run.log_artifact(file, name="model").version == "v0"
    file.write_text("two")
    assert run.log_artifact(file, name="model").version == "v1"
    file.write_text("one")
    assert run.log_artifact(file, name="model").version == "v2"  # it is again the newest content
    assert tb.list_artifacts("p")["artifact"].to_list() == ["model:v0", "model:v1", "model:v2"]


def test_content_is_kept_once_whatever_has_it(run: Run, kept: ContentFiles) -> None:
    write("data/a.txt", "same")
    write("data/b/c.txt", "same")
    run.log_artifact("data")
    run.log_artifact("data/a.txt", name="alone")
    run.save("data/*.txt")
    digest = hashlib.sha256(b"same").hexdigest()
    assert [name for name in names_of(kept) if kept.read(name) == b"same"] == [digest]


def test_folder_is_kept_with_its_paths(run: Run) -> None:
    write("data/a.txt", "a")
    write("data/b/c.txt", "c")
    artifact = run.log_artifact("data")
    assert (artifact.name, artifact.type) == ("data", "files")
    assert [entry.path for entry in artifact.files()] == ["a.txt", "b/c.txt"]


def test_digest_depends_on_content_and_paths_only(run: Run) -> None:
    one, other = tb.Artifact("one"), tb.Artifact("other", metadata={"x": 1})
    for artifact, order in ((one, "ab"), (other, "ba")):
        for name in order:
            artifact.add_file(write(f"{name}.txt", name))
        run.log_artifact(artifact)
    assert one.digest == other.digest
    third = tb.Artifact("third")
    third.add_file("a.txt", name="b.txt")
    third.add_file("b.txt", name="a.txt")
    assert run.log_artifact(third).digest != one.digest


def test_new_file_after_a_removed_one_leaves_the_others_alone(run: Run) -> None:
    artifact = tb.Artifact("notes")
    for name in ("a", "b"):
        with artifact.new_file(name) as file:
            file.write(name)
    artifact.remove("a")
    with artifact.new_file("c") as file:
        file.write("c")
    kept = run.log_artifact(artifact)
    assert [kept.read(name) for name in ("b", "c")] == [b"b", b"c"]


def test_artifact_that_is_logged_again_gets_aliases_and_no_version(run: Run) -> None:
    artifact = tb.Artifact("model", type="model")
    with artifact.new_file("weights") as file:
        file.write("1")
    run.log_artifact(artifact, aliases=["final"])
    run.log_artifact(artifact, aliases=["epoch-1"])
    assert (artifact.version, artifact.aliases) == ("v0", ["latest", "final", "epoch-1"])
    assert [tb.get_artifact(f"model:{alias}", "p").read("weights") for alias in artifact.aliases] == [b"1"] * 3
    with tb.init(project="other", display=False, reinit="create_new") as other:
        assert other.log_artifact(artifact).version == "v0"
    assert tb.get_artifact("model", "other").read("weights") == b"1"


def test_what_new_file_wrote_is_deleted_with_an_artifact_that_was_not_logged() -> None:
    artifact = tb.Artifact("notes")
    with artifact.new_file("a") as file:
        path = Path(file.name)
    assert path.is_file()
    del artifact, file
    gc.collect()
    assert not path.parent.exists()


def test_artifact_is_built_from_files_folders_and_written_ones(run: Run) -> None:
    write("data/a.txt", "a")
    artifact = tb.Artifact("mixed", type="dataset", description="words", metadata={"rows": 3})
    artifact.add_file("data/a.txt", name="first/a.txt")
    artifact.add_dir("data", name="second")
    with artifact.new_file("notes.json") as file:
        json.dump({"x": 1}, file)
    with artifact.new_file("raw.bin", mode="wb") as file:
        file.write(b"\0\1")
    artifact.remove("second/a.txt")
    logged = run.log_artifact(artifact)
    assert logged is artifact
    found = tb.get_artifact("mixed", "p")
    assert [entry.path for entry in found.files()] == ["first/a.txt", "notes.json", "raw.bin"]
    assert (found.metadata, found.description, found.type) == ({"rows": 3}, "words", "dataset")
    assert found.read("raw.bin") == b"\0\1"


def test_kept_artifact_does_not_change(run: Run) -> None:
    artifact = run.log_artifact(write("a.txt"))
    with pytest.raises(RuntimeError, match="is kept and does not change"):
        artifact.add_file("a.txt", name="b.txt")
    with pytest.raises(RuntimeError, match="is not logged yet"):
        tb.Artifact("draft").download()


def test_type_of_an_artifact_stays(run: Run) -> None:
    run.log_artifact(write("a.txt"), name="a", type="model")
    with pytest.raises(ValueError, match="has the type 'model', not 'dataset'"):
        run.log_artifact(write("b.txt"), name="a", type="dataset")


def test_processes_that_log_at_once_get_different_versions(run: Run, store_dir: Path) -> None:
    program = """
import sys, trackbook as tb
run = tb.init(project="p", display=False)
with open(sys.argv[1], "w") as file:
    file.write(sys.argv[1])
print(*[run.log_artifact(sys.argv[1], name="model").version for _ in range(1)])
"""
    running = [
        subprocess.Popen([sys.executable, "-c", program, f"f{number}"], stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    versions = sorted(one.communicate(timeout=100)[0].strip() for one in running)
    assert versions == ["v0", "v1", "v2", "v3"]
    assert tb.list_artifacts("p")["version"].to_list() == [0, 1, 2, 3]


def test_artifact_of_a_killed_process_is_kept(here: Path) -> None:
    program = (
        "import os, trackbook as tb; tb.init(project='p').log_artifact('a.txt', name='a'); os.kill(os.getpid(), 9)"
    )
    write("a.txt")
    subprocess.run([sys.executable, "-c", program], check=False)
    assert tb.get_artifact("a:v0", "p").read("a.txt") == b"words"


def test_every_version_of_a_returned_call_is_whole_after_a_kill(kept: ContentFiles) -> None:
    program = """
import os, trackbook as tb
run = tb.init(project="p", display=False)
while True:
    with open("w.bin", "wb") as file:
        file.write(os.urandom(300_000))
    print(run.log_artifact("w.bin", name="w").version, flush=True)
"""
    running = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    said = [running.stdout.readline().strip() for _ in range(7)]
    running.kill()
    said += running.stdout.read().split()
    running.wait()
    running.stdout.close()
    for version in said:
        tb.get_artifact(f"w:{version}", "p").verify()
    assert said == [f"v{number}" for number in range(len(said))]
    assert all(kept.is_whole(name) for name in names_of(kept))


# --- aliases -----------------------------------------------------------------------------------------------------------


def test_latest_and_aliases_name_versions(run: Run) -> None:
    for number in range(3):
        run.log_artifact(write("m", str(number)), name="m", aliases=["best"] if number == 1 else None)
    assert [tb.get_artifact(f"m{text}", "p").version for text in ("", ":latest", ":best", ":v0")] == [
        "v2",
        "v2",
        "v1",
        "v0",
    ]
    assert tb.list_artifacts("p", "m")["aliases"].to_list() == [[], ["best"], ["latest"]]


def test_alias_moves_to_the_version_that_gets_it(run: Run) -> None:
    run.log_artifact(write("m", "0"), name="m", aliases="best")
    run.log_artifact(write("m", "1"), name="m", aliases="best")
    assert tb.list_artifacts("p")["aliases"].to_list() == [[], ["latest", "best"]]
    first = tb.get_artifact("m:v0", "p")
    first.aliases.append("best")
    first.metadata["acc"] = 0.9
    first.save()
    assert tb.list_artifacts("p")["aliases"].to_list() == [["best"], ["latest"]]
    assert tb.get_artifact("m:best", "p").metadata == {"acc": 0.9}


def test_unknown_artifact_and_version_are_said_with_what_there_is(run: Run) -> None:
    with pytest.raises(ValueError, match="has no artifact 'model'; there is none at all"):
        run.use_artifact("model")
    run.log_artifact(write("m"), name="model", aliases="best")
    with pytest.raises(ValueError, match="did you mean 'model'"):
        run.use_artifact("mdoel")
    with pytest.raises(ValueError, match="no version 'v7'; there are 'v0', 'best'"):
        run.use_artifact("model:v7")
    with pytest.raises(ValueError, match="has the type 'files', not 'dataset'"):
        run.use_artifact("model", type="dataset")


# --- lineage -----------------------------------------------------------------------------------------------------------


def test_lineage_tells_who_made_and_who_used_a_version() -> None:
    with tb.init(project="p", name="maker") as maker:
        maker.log_artifact(write("data.csv"), name="data")
    with tb.init(project="p", name="user") as user:
        used = user.use_artifact("data:latest")
        assert (used.made_by, used.used_by) == ([maker.id], [user.id])
        user.log_artifact(write("model.pt"), name="model")
    assert user.artifacts().select("role", "artifact").rows() == [("used", "data:v0"), ("made", "model:v0")]
    assert maker.artifacts().select("role", "artifact").rows() == [("made", "data:v0")]


def test_same_content_was_made_by_both_runs() -> None:
    ids = []
    for _ in range(2):
        with tb.init(project="p") as run:
            run.log_artifact(write("data.csv"), name="data")
            ids.append(run.id)
    assert tb.list_artifacts("p")["made_by"].to_list() == [ids]


def test_artifact_of_another_project_is_used() -> None:
    with tb.init(project="source") as run:
        run.log_artifact(write("data.csv", "abc"), name="data")
    with tb.init(project="p") as user:
        assert user.use_artifact("source/data").read("data.csv") == b"abc"
    with pytest.raises(ValueError, match="there is no project 'nowhere'"), tb.init(project="p") as user:
        user.use_artifact("nowhere/data")


def test_version_of_another_project_is_not_taken_for_one_of_its_name_here() -> None:
    for project, content in (("source", "theirs"), ("p", "ours")):
        with tb.init(project=project) as maker:
            maker.log_artifact(write("m.pt", content), name="model")
    with tb.init(project="p") as user:
        user.use_artifact("source/model")
    ours = tb.get_artifact("model", "p")
    assert ours.used_by == []
    with tb.init(project="p") as both:
        both.use_artifact("model")
        both.use_artifact("source/model")
    assert (ours.used_by, len(both.artifacts())) == ([both.id], 2)
    with tb.init(project="p") as again:
        again.log_artifact(tb.get_artifact("model", "source"))  # is v1 here
    assert tb.list_artifacts("p")["made_by"].to_list() == [[maker.id], [again.id]]
    with pytest.raises(ValueError, match="was used by 1 run;"):
        ours.delete()


def test_damaged_file_of_another_project_is_not_logged(store_dir: Path) -> None:
    with tb.init(project="source") as run:
        run.log_artifact(write("data.csv", "abc"), name="data")
    theirs = tb.get_artifact("data", "source")
    ContentFiles(store_dir / files_folder("source")).path(theirs.files()[0].digest).write_text("abd")
    with tb.init(project="p") as run:
        with pytest.raises(OSError, match=r"data\.csv of data:v0 is damaged"):
            run.log_artifact(theirs)
        assert tb.list_artifacts("p").is_empty()


def test_file_of_another_project_is_closed_with_what_was_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with tb.init(project="source") as run:
        run.log_artifact(write("data.csv", "abc"), name="data")
    closed = []
    close = SqliteStore.close

    def noted(store: SqliteStore) -> None:
        closed.append(store.path.name)
        close(store)

    with tb.init(project="p") as user:
        monkeypatch.setattr(SqliteStore, "close", noted)
        found = user.use_artifact("source/data")
        gc.collect()
        assert found.read("data.csv") == b"abc"
        assert closed == []
        del found
        gc.collect()
        assert closed == ["source.trackbook.db"]


# --- references --------------------------------------------------------------------------------------------------------


def test_reference_is_noted_and_not_read(run: Run, kept: ContentFiles, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read me")
    artifact = tb.Artifact("refs")
    artifact.add_reference(secret.as_uri())
    artifact.add_reference("s3://bucket/train.csv?version=1", checksum="etag-1")
    artifact.add_reference("https://example.com/", name="page.html")
    run.log_artifact(artifact)
    found = tb.get_artifact("refs", "p")
    assert {entry.path: entry.ref for entry in found.files()} == {
        "secret.txt": secret.as_uri(),
        "train.csv": "s3://bucket/train.csv?version=1",
        "page.html": "https://example.com/",
    }
    folder = Path(found.download("out"))
    assert list(folder.iterdir()) == []
    assert found.size == 0
    assert not any(kept.read(name) == b"do not read me" for name in names_of(kept))
    with pytest.raises(ValueError, match="is a reference to"):
        found.read("secret.txt")


def test_reference_with_another_checksum_is_another_version(run: Run) -> None:
    versions = []
    for checksum in ("one", "one", "two"):
        artifact = tb.Artifact("refs")
        artifact.add_reference("s3://bucket/x", checksum=checksum)
        versions.append(run.log_artifact(artifact).version)
    assert versions == ["v0", "v0", "v1"]


def test_address_is_logged_as_a_reference(run: Run) -> None:
    (entry,) = run.log_artifact("s3://bucket/data.csv", name="data").files()
    assert (entry.path, entry.ref) == ("data.csv", "s3://bucket/data.csv")


# --- download ----------------------------------------------------------------------------------------------------------


def test_download_writes_the_files_and_leaves_equal_ones_alone(run: Run) -> None:
    write("data/a.txt", "a")
    write("data/b/c.txt", "c")
    artifact = run.log_artifact("data")
    folder = Path(artifact.download())
    assert folder == Path("artifacts", "data-v0")
    assert (folder / "a.txt").read_text() + (folder / "b/c.txt").read_text() == "ac"
    os.utime(folder / "a.txt", (1, 1))
    (folder / "b/c.txt").write_text("changed")
    artifact.download()
    assert (folder / "a.txt").stat().st_mtime == 1
    assert (folder / "b/c.txt").read_text() == "c"


def test_damaged_file_is_not_written(run: Run, kept: ContentFiles) -> None:
    artifact = run.log_artifact(write("a.txt"), name="a")
    artifact.verify()
    kept.path(artifact.files()[0].digest).write_bytes(b"other")
    write("out/a.txt", "mine")
    with pytest.raises(OSError, match=r"a\.txt is damaged"):
        artifact.download("out")
    assert [path.name for path in Path("out").iterdir()] == ["a.txt"]
    assert Path("out/a.txt").read_text() == "mine"
    with pytest.raises(OSError, match=r"lost or damaged: a\.txt"):
        artifact.verify()
    with pytest.raises(OSError, match="lost or damaged"):
        artifact.read("a.txt")


def test_default_folder_of_a_download_is_made_of_name_and_number(run: Run, here: Path) -> None:
    artifact = run.log_artifact(write("a.txt"), name="a")
    assert artifact._version is not None
    artifact._version = artifact._version._replace(artifact="../../out:v0")  # as software of others may write it
    assert artifact.download() == str(Path("artifacts", "a-v0"))
    artifact._version = artifact._version._replace(name="../out")
    with pytest.raises(ValueError, match="no name of an artifact"):
        artifact.download()


def test_lost_list_of_files_is_said(run: Run, kept: ContentFiles) -> None:
    artifact = run.log_artifact(write("a.txt"), name="a")
    assert artifact.digest is not None
    kept.path(artifact.digest).unlink()
    with pytest.raises(OSError, match="list of files of a:v0 is lost or damaged"):
        artifact.files()


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "C:\\evil"])
def test_manifest_that_leads_out_of_the_folder_is_refused(
    run: Run, kept: ContentFiles, path: str, tmp_path: Path
) -> None:
    """As a project from elsewhere might have it: its manifest is whole, and its paths are not."""
    from trackbook.api.process import process
    from trackbook.store.documents import PROJECT

    artifact = run.log_artifact(write("a.txt"), name="a")
    entry = artifact.files()[0]
    evil = kept.put(json.dumps({"files": [[path, entry.digest, 5, None]]}).encode())
    store = process().project("p").store
    ((row),) = store.captured(PROJECT, "artifacts")
    store.put_captured(PROJECT, "artifacts", [(*row[:-1], evil.name)])
    with pytest.raises(OSError, match="is no path of a file"):
        tb.get_artifact("a", "p").download(tmp_path / "root")
    assert not list(tmp_path.rglob("*evil*"))


def test_download_follows_no_link_out_of_its_root(run: Run, tmp_path: Path) -> None:
    write("data/sub/a.txt", "new")
    write("data/b.txt", "new")
    artifact = run.log_artifact("data")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("old")
    (outside / "b.txt").write_text("old")
    root = tmp_path / "root"
    root.mkdir()
    (root / "b.txt").symlink_to(outside / "b.txt")
    (root / "sub").symlink_to(outside)
    with pytest.raises(ValueError, match="leads out of"):
        artifact.download(root)
    assert (outside / "a.txt").read_text() == (outside / "b.txt").read_text() == "old"
    assert (root / "b.txt").read_text() == "new"
    assert not (root / "b.txt").is_symlink()


# --- deletion ----------------------------------------------------------------------------------------------------------


def test_deleted_version_leaves_what_others_need(run: Run, kept: ContentFiles) -> None:
    write("data/shared.txt", "shared")
    write("data/own.txt", "one")
    first = run.log_artifact("data")
    write("data/own.txt", "two")
    second = run.log_artifact("data")
    first.delete()
    assert tb.list_artifacts("p")["artifact"].to_list() == ["data:v1"]
    contents = {kept.read(name) for name in names_of(kept)}
    assert {b"shared", b"two"} <= contents
    assert b"one" not in contents
    second.verify()


def test_version_that_has_an_alias_or_a_user_is_deleted_by_force_only(run: Run) -> None:
    artifact = run.log_artifact(write("a.txt"), name="a", aliases="best")
    run.use_artifact("a")
    with pytest.raises(ValueError, match="a:v0 has the aliases 'best' and was used by 1 run; force=True"):
        artifact.delete()
    artifact.delete(force=True)
    with pytest.raises(ValueError, match="has no artifact"):
        run.use_artifact("a")


def test_number_of_a_deleted_version_does_not_come_again(run: Run) -> None:
    for content in "ab":
        run.log_artifact(write("a.txt", content), name="a")
    tb.get_artifact("a:v1", "p").delete()
    assert run.log_artifact(write("a.txt", "c"), name="a").version == "v2"


def test_artifact_outlives_the_run_that_made_it(kept: ContentFiles) -> None:
    with tb.init(project="p", name="maker") as maker:
        maker.log_artifact(write("data.csv"), name="data")
        maker.save(str(write("notes.txt", "notes")))
    tb.delete_run(maker, project="p", force=True)
    found = tb.get_artifact("data", "p")
    assert found.read("data.csv") == b"words"
    assert found.made_by == []
    assert b"notes" not in {kept.read(name) for name in names_of(kept)}


def test_deleted_project_leaves_no_files(kept: ContentFiles) -> None:
    with tb.init(project="p") as run:
        run.log_artifact(write("data.csv"), name="data")
    assert kept.folder.exists()
    tb.delete_project("p", force=True)
    assert not kept.folder.exists()


# --- bad input ---------------------------------------------------------------------------------------------------------


def test_bad_input_is_refused_and_keeps_nothing(run: Run) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file 'nothing\.pt'"):
        run.log_artifact("nothing.pt")
    with pytest.raises(TypeError, match="takes an Artifact or a path, not int"):
        run.log_artifact(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"log_artifact\(\) needs to know what"):
        run.log_artifact()
    with pytest.raises(ValueError, match="is no name of an artifact"):
        run.log_artifact(write("a.txt"), name="../a")
    with pytest.raises(ValueError, match="is no path of a file"):
        tb.Artifact("a").add_file("a.txt", name="../a.txt")
    with pytest.raises(NotADirectoryError):
        tb.Artifact("a").add_dir("a.txt")
    with pytest.raises(ValueError, match="type of an artifact"):
        tb.Artifact("a", type="")
    artifact = tb.Artifact("a")
    artifact.add_file("a.txt")
    with pytest.raises(ValueError, match=r"has a file 'a\.txt' already"):
        artifact.add_file("a.txt")
    with pytest.raises(ValueError, match="alias"):
        run.log_artifact(artifact, aliases=["v1"])
    assert tb.list_artifacts("p").is_empty()


def test_ended_run_takes_no_files() -> None:
    run = tb.init(project="p")
    run.finish()
    for call in (run.save, run.log_artifact):
        with pytest.raises(RuntimeError, match="takes no more files"):
            call(str(write("a.txt")))


def test_disabled_run_keeps_nothing(store_dir: Path) -> None:
    with tb.init(project="p", mode="disabled") as run:
        assert run.log_artifact(write("a.txt")).version is None
        assert run.save("*.txt") == []
    assert not store_dir.exists()


def test_secret_in_metadata_is_masked(run: Run) -> None:
    artifact = tb.Artifact("a", metadata={"api_key": "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "lr": 0.1})
    artifact.add_file(write("a.txt"))
    run.log_artifact(artifact)
    assert tb.get_artifact("a", "p").metadata == {"api_key": "[redacted]", "lr": 0.1}


def test_link_to_a_folder_is_not_followed(run: Run, tmp_path: Path) -> None:
    write("data/a.txt")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.txt").write_text("b")
    Path("data/link").symlink_to(tmp_path / "elsewhere")
    assert [entry.path for entry in run.log_artifact("data").files()] == ["a.txt"]


# --- saved files -------------------------------------------------------------------------------------------------------


def test_save_keeps_what_a_glob_matches(run: Run) -> None:
    for path in ("a.py", "src/b.py", "src/c.txt"):
        write(path, path)
    assert run.save("**/*.py") == ["a.py", "src/b.py"]
    assert run.files().select("path", "size").rows() == [("a.py", 4), ("src/b.py", 8)]


def test_base_path_says_below_which_folder_paths_are_kept(run: Run, tmp_path: Path) -> None:
    write(str(tmp_path / "far/out/x.pt"))
    assert run.save(str(tmp_path / "far/**/*.pt")) == ["out/x.pt"]
    assert run.save(str(tmp_path / "far/out/x.pt")) == ["x.pt"]
    assert run.save("../far/out/*.pt") == ["x.pt"]
    assert run.save(str(tmp_path / "far/out/x.pt"), base_path=tmp_path) == ["far/out/x.pt"]
    with pytest.raises(ValueError, match="is no path of a file"):
        run.save(str(tmp_path / "far/out/x.pt"), base_path=Path.cwd())


def test_live_file_is_kept_again_when_the_run_ends() -> None:
    with tb.init(project="p") as run:
        for policy in ("live", "now", "end"):
            write(f"{policy}.txt", "early")
            run.save(f"{policy}.txt", policy=policy)
        write("other.txt")
        for policy in ("live", "now", "end"):
            write(f"{policy}.txt", "later on")
    contents = {path: run.restore(path, "out").read_text() for path in run.files()["path"]}
    assert contents == {"live.txt": "later on", "now.txt": "early", "end.txt": "later on"}


def test_files_that_come_later_are_kept_at_the_end() -> None:
    with tb.init(project="p") as run:
        assert run.save("checkpoints/*.pt") == []
        write("checkpoints/1.pt")
    assert run.files()["path"].to_list() == ["checkpoints/1.pt"]


def test_saved_file_that_cannot_be_kept_does_not_keep_a_run_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init(project="p")
    run.save("*.txt")
    write("a.txt")

    def fails(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(ContentFiles, "add", fails)
    with pytest.warns(tb.TrackbookWarning, match="failed when run.*the disk is full"):
        run.finish()
    assert run.state == "finished"


def test_restore_brings_a_file_back_and_overwrites_only_when_asked(run: Run) -> None:
    run.save(str(write("notes.txt", "kept")))
    write("notes.txt", "mine")
    assert run.restore("notes.txt").read_text() == "mine"
    assert run.restore("notes.txt", replace=True).read_text() == "kept"
    assert run.restore("notes.txt", "out") == Path("out/notes.txt").resolve()
    with pytest.raises(ValueError, match=r"saved no file 'other\.txt'"):
        run.restore("other.txt")
    with pytest.raises(ValueError, match="is no path of a file"):
        run.restore("../notes.txt")


def test_save_without_a_match_says_so(run: Run) -> None:
    with pytest.warns(tb.TrackbookWarning, match=r"save\('\*\.pt'\) found no file"):
        assert run.save("*.pt", policy="now") == []
    with pytest.raises(ValueError, match="policy is one of"):
        run.save("*.pt", policy="often")


def test_moved_run_takes_its_files_along(kept: ContentFiles, store_dir: Path) -> None:
    with tb.init(project="p") as run:
        run.save(str(write("notes.txt", "kept")))
    tb.move_run(run, "target", project="p")
    assert tb.get_run(run.id, "target").restore("notes.txt", "out").read_text() == "kept"
    assert names_of(kept) == []


def test_moved_file_is_not_removed_as_unused_meanwhile(store_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tb.init(project="p") as run:
        run.save(str(write("notes.txt", "kept")))
    put_whole = project_module.put_whole

    def swept(target: Any, *content: Any) -> None:
        catalog_of(target, "target").collect(names_of(ContentFiles(store_dir / files_folder("target"))))
        put_whole(target, *content)

    monkeypatch.setattr(project_module, "put_whole", swept)
    tb.move_run(run, "target", project="p")
    assert tb.get_run(run.id, "target").restore("notes.txt", "out").read_text() == "kept"


def test_files_of_the_project_itself_are_not_saved(here: Path) -> None:
    with tb.init(project="p", dir="runs") as run:
        run.log_artifact(write("a.txt"), name="a")
        assert run.save("**/*") == ["a.txt"]
        assert run.save(str(write("runs/notes.files.json"))) == ["runs/notes.files.json"]


def test_process_that_holds_the_lock_too_long_is_said(
    run: Run, kept: ContentFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trackbook import filesystem
    from trackbook.artifacts import catalog

    monkeypatch.setattr(catalog, "_PATIENCE", 0.05)
    run.log_artifact(write("a.txt"), name="a")
    lock = filesystem.hold(kept.folder / ".versions", create=True)
    assert lock is not None
    with pytest.raises(TimeoutError, match="another process has been changing the artifacts of 'p'"):
        run.log_artifact(write("a.txt", "new"), name="a")
    os.close(lock)
    assert run.log_artifact("a.txt", name="a").version == "v1"


def test_run_of_another_rank_uses_artifacts_and_is_not_noted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.log_artifact(write("a.txt"), name="a")
    with tb.init(project="p", mode="disabled", reinit="create_new") as other:
        assert other.use_artifact("a:v0").read("a.txt") == b"words"
    assert tb.get_artifact("a", "p").used_by == []


def test_unchanged_file_is_not_read_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("large.bin")
    long_ago = time.time() - 100
    os.utime(file, (long_ago, long_ago))
    run.save("large.bin")
    added: list[Path] = []
    monkeypatch.setattr(ContentFiles, "add", lambda _, source, *__, **___: added.append(source))
    assert run.save("large.bin") == ["large.bin"]
    assert added == []
