"""Every name that scripts use of wandb, Trackio and SwanLab works, or is in the table of what is not supported, as in `docs/compat.md`."""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from trackbook.compat import shared
from trackbook.compat.tracker_modules import TRACKERS
from trackbook.tracking import media_calls
from trackbook.tracking.unsupported import CALLS, FEATURES, KEYWORDS, MEDIA, REFUSED, REGISTRIES, StandIn
from trackbook.user_warnings import TrackbookWarning
from tracker_scripts import hearing, run_script

PAGE = (Path(__file__).parents[2] / "docs" / "compat.md").read_text()

# What their packages export, and what scripts and integrations use beside that; of wandb 0.31, Trackio 0.43 and SwanLab 0.10.
SURFACE = {
    "trackio": """
        init log log_system log_gpu log_cpu alert AlertLevel save log_artifact use_artifact Artifact ArtifactTTL show sync freeze
        delete_project import_csv import_tf_events Api Table EvalTable JoinedTable Classes Image Video Audio Html Object3D Histogram
        Markdown Trace Graph Molecule Plotly Settings ReferenceHandler ResolvedReference register_reference_handler config
        Config context_vars finish Run""",
    "swanlab": """
        init log log_text log_image log_audio log_video log_echarts log_html log_object3d log_molecule async_log finish has_run
        get_run get_config config define_metric save sync Text Image Audio Video Html Object3D Molecule ECharts echarts plot
        roc_curve pr_curve confusion_matrix sync_wandb sync_tensorboard sync_tensorboardX sync_tensorboard_torch sync_mlflow login require Settings
        merge_settings merge_callbacks register_callbacks Callback utils run Run State Api""",
    "wandb": """
        init setup teardown finish join login log run config summary define_metric Table EvalTable Image Histogram Video Audio Html
        Object3D Molecule Plotly Graph box3d Api watch unwatch save restore alert Settings Artifact ArtifactTTL log_artifact
        use_artifact log_model use_model link_model sweep agent controller plot plot_table termlog termwarn termerror termsetup
        require Error Run""",
}
RUN_SURFACE = {
    "trackio": "log log_system finish project name id config _space_id group alert log_artifact use_artifact link_artifact",
    "swanlab": """
        log log_text log_image log_audio log_video log_echarts log_html log_object3d log_molecule log_scalar async_log finish config
        define_metric save public id name path url mode alive dir""",
    "wandb": """
        log finish config summary define_metric id name project entity path url dir tags notes group job_type step starttime
        start_time project_name get_url get_project_url mark_preempting log_code watch unwatch save restore alert log_artifact
        use_artifact link_artifact upsert_artifact finish_artifact log_model use_model link_model offline disabled
        settings sweep_id sweep_url project_url resumed starting_step sync_dir status to_html display write_logs pin_config_keys
        config_static _label""",
}
INIT_KEYWORDS = {
    "trackio": """
        project name group space_id space_storage server_url dataset_id bucket_id config resume settings private embed auto_log_gpu
        gpu_log_interval auto_log_cpu cpu_log_interval webhook_url webhook_min_level""",
    "swanlab": """
        project workspace experiment_name name description notes tags group job_type config logdir log_dir mode id resume reinit
        settings load public callbacks""",
    "wandb": """
        project entity name config group tags notes job_type id resume mode dir reinit settings anonymous magic allow_val_change
        config_exclude_keys config_include_keys force tensorboard sync_tensorboard monitor_gym save_code fork_from resume_from""",
}

TF_EVENTS = """
from pathlib import Path
from foreign_stores import event, simple, tf_record
Path('logs').mkdir()
Path('logs/events.out.tfevents.1').write_bytes(tf_record(event(0, simple('a', 1.0))))
assert t.import_tf_events('logs', 'p')[0].history('a')['value'].to_list() == [1.0]
assert t.import_tf_events('logs', 'p', 'mine')[0].name == 'mine'
"""
CSV = """
from pathlib import Path
Path('x.csv').write_text('step,a\\n0,1\\n')
assert [run.name for run in t.import_csv('x.csv', 'p', 'mine')] == ['mine']
"""

# A use of each name that works; `run` is open.
USES = {
    "init": "run.finish(); t.init(project='p').finish()",
    "log": "assert t.log({'a': 1}) == {'a': 1.0}",
    "log_system": "t.log_system({'gpu': 1}); assert run.system()['value'].to_list() == [1.0]",
    "import_csv": CSV,
    "import_tf_events": TF_EVENTS,
    "sync_wandb": "t.sync_wandb()",
    "sync_mlflow": "t.sync_mlflow()",
    "sync_tensorboard": "t.sync_tensorboard(['scalar'])",
    "sync_tensorboardX": "t.sync_tensorboardX(types=['scalar'])",
    "sync_tensorboard_torch": "t.sync_tensorboard_torch()",
    "log_gpu": "assert t.log_gpu() == {}",
    "log_cpu": "assert t.log_cpu() == {}",
    "finish": "t.finish(); assert run.ended",
    "join": "t.join(); assert run.ended",
    "teardown": "t.teardown(); assert run.ended",
    "setup": "t.setup()",
    "require": "t.require('service')",
    "login": "assert t.login(key='x')",
    "run": "assert t.run is run",
    "get_run": "assert t.get_run() is run",
    "config": "t.config.update({'lr': 1}, allow_val_change=True); assert run.config.lr == 1",
    "get_config": "assert t.get_config() is run.config",
    "summary": "t.summary['best'] = 1; assert run.summary['best'] == 1",
    "define_metric": "t.define_metric('loss', step_metric='epoch'); assert run.record.defined == {'loss': 'epoch'}",
    "context_vars": "assert t.context_vars.current_run.get() is run",
    "show": "assert t.show('p', open_browser=False) is not None",
    "delete_project": "run.finish(); assert t.delete_project('p', force=True)",
    "sync": "import pytest\nwith pytest.raises(ValueError, match='was not uploaded before: say where'):\n    t.sync('p')",
    "freeze": "import pytest\nwith pytest.raises(ValueError, match='not the name of a Space'):\n    t.freeze('a/b/c', 'p')",
    "Api": "assert [each.id for each in t.Api().runs('p')] == [run.id]",
    "Run": "assert isinstance(run, t.Run)",
    "Config": "assert isinstance(run.config, t.Config)",
    "watch": "t.watch(object(), log='all', log_freq=100)",
    "has_run": "assert t.has_run(); t.finish(); assert not t.has_run()",
    "async_log": "assert t.async_log(lambda: {'a': 1}, step=2).result() == {'a': 1.0}",
    "State": "assert t.State.SUCCESS == 'success'",
    "alert": "t.alert('low', 'loss', t.AlertLevel.ERROR); import trackbook; assert [*trackbook.alerts('p')['level']] == ['error']",
    "save": "assert t.save(glob_str='*.txt') == ['kept.txt']",
    "restore": "t.save('kept.txt'); file = t.restore('kept.txt', root='out'); assert file.read() == 'words'; file.close()",
    "Artifact": "a = t.Artifact('a', type='model'); a.add_file('kept.txt'); assert run.log_artifact(a).wait().version == 'v0'",
    "log_artifact": "assert t.log_artifact('kept.txt', name='a', type='model').files()[0].path == 'kept.txt'",
    "use_artifact": "t.log_artifact('kept.txt', name='a'); assert t.use_artifact('a:latest').version == 'v0'",
    "log_model": "t.log_model('kept.txt', name='m'); assert t.use_artifact('m:v0', type='model').name == 'm'",
    "use_model": "t.log_model('kept.txt', name='m'); from pathlib import Path; assert Path(t.use_model('m:latest')).read_text() == 'words'",
    "AlertLevel": "assert t.AlertLevel.WARN == 'warn'",
    "Error": "assert issubclass(t.Error, Exception)",
    "Settings": "assert t.Settings(console='off').console == 'off'",
    "merge_settings": "t.merge_settings(t.Settings())",
    "Callback": "t.register_callbacks([type('Mine', (t.Callback,), {})()])",
    "utils": "assert t.utils.generate_id() != t.utils.generate_id()",
    "register_callbacks": "t.register_callbacks([])",
    "merge_callbacks": "t.merge_callbacks([])",
    "termlog": "t.termlog('words')",
    "termwarn": "t.termwarn('words', repeat=False)",
    "termerror": "t.termerror('words')",
    "termsetup": "t.termsetup()",
}
MEDIA_VALUES = {
    "Image": "[[0]]",
    "Video": "[[[[0]]]]",
    "Audio": "[0.0], sample_rate=1",
    "Text": "'words'",
    "Markdown": "'# words'",
    "Html": "'<p>words'",
    "Table": "columns=['a'], data=[[1]]",
    "EvalTable": "columns=['a'], data=[[1]]",
    "Histogram": "[1, 2]",
    "Trace": "[{'role': 'user', 'content': 'words'}]",
    "Object3D": "[[0, 1, 2]]",
    "Molecule": "'CCO', file_type='smi'",
    "ECharts": "{'series': []}",
    "Plotly": "{'data': []}",
}
USES |= {
    name: f"t.log({{'x': t.{name}({given})}}); assert [each.metric for each in run.media()] == ['x']"
    for name, given in MEDIA_VALUES.items()
}
USES |= {
    f"log_{name.lower()}": f"t.log_{name.lower()}('x', {given}, step=3); assert [each.step for each in run.media('x')] == [3]"
    for name, given in MEDIA_VALUES.items()
    if f"log_{name.lower()}" in media_calls.CALLS
}
_CHART = "t.log({{'x': {}}}); assert [each.kind for each in run.media()] == ['chart']"
USES |= {
    "Classes": "t.Classes([{'id': 0, 'name': 'cat'}])",
    "roc_curve": _CHART.format("t.roc_curve([0, 1], [0.1, 0.9])"),
    "pr_curve": _CHART.format("t.pr_curve([0, 1], [0.1, 0.9])"),
    "confusion_matrix": _CHART.format("t.confusion_matrix([0, 1], [0, 0])"),
    "plot": _CHART.format("t.plot.line(t.Table(columns=['a', 'b'], data=[[1, 2]]), 'a', 'b')"),
    "echarts": "assert t.echarts.Bar().add_xaxis(['a'])",
}
NOT_SUPPORTED = {*CALLS, *MEDIA, *REGISTRIES}
OF_DIALECTS = {"State", "get_run", "utils"}  # `trackbook.get_run` reads a run
PAIRS = [(tracker, name) for tracker in TRACKERS for name in SURFACE[tracker].split()]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading of the page."""
    table = PAGE.partition(f"## {heading}\n\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kept.txt").write_text("words")


@pytest.fixture(autouse=True)
def quiet_server(monkeypatch: pytest.MonkeyPatch) -> Any:
    from trackbook.server import running

    monkeypatch.setattr(running.Server, "wait", lambda _: None)
    yield
    if (server := running.running()) is not None:
        server.stop()


@pytest.mark.parametrize(("tracker", "name"), PAIRS)
def test_name_works_or_is_not_supported(tracker: str, name: str) -> None:
    assert (name in USES) != (name in NOT_SUPPORTED)


@pytest.mark.parametrize(
    ("tracker", "name", "how"),
    [
        (tracker, name, how)
        for tracker, name in PAIRS
        if name in USES
        for how in ("dialect", "trackbook")
        if how == "dialect" or name not in OF_DIALECTS
    ],
)
def test_name_does_what_the_page_says(
    tracker: str, name: str, how: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_script(f"run = {tracker}.init(project='p', mode='local')\nt = {tracker}\n{USES[name]}", tracker, how)


@pytest.mark.parametrize(("tracker", "name"), [pair for pair in PAIRS if pair[1] in NOT_SUPPORTED])
def test_name_that_is_not_supported_says_so(tracker: str, name: str) -> None:
    for module in (importlib.import_module(f"trackbook.compat.{tracker}"), tb):
        thing = getattr(module, name)
        if name in REFUSED:
            with pytest.raises(NotImplementedError, match=f"{name} is not supported yet"):
                thing("x")
        elif name in CALLS:
            with warnings.catch_warnings():  # `tests/tracking/test_unsupported.py` looks at what it says
                warnings.simplefilter("ignore", TrackbookWarning)
                thing("x")
        else:
            assert issubclass(thing, StandIn)
            assert thing.__name__ == name


@pytest.mark.parametrize(("tracker", "name"), [(t, name) for t in TRACKERS for name in RUN_SURFACE[t].split()])
def test_run_has_the_attributes_of_the_trackers_runs(
    tracker: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # `run.dir` makes a folder
    run = importlib.import_module(f"trackbook.compat.{tracker}").init(project="p")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrackbookWarning)
        assert hasattr(run, name)


@pytest.mark.parametrize("tracker", TRACKERS)
@pytest.mark.parametrize("how", ["dialect", "trackbook"])
def test_init_takes_the_keywords_of_the_tracker(tracker: str, how: str) -> None:
    module: Any = tb if how == "trackbook" else importlib.import_module(f"trackbook.compat.{tracker}")
    given: dict[str, Any] = dict.fromkeys(INIT_KEYWORDS[tracker].split(), "x") | {
        "project": "p",
        "config": {"lr": 1},
        "mode": "offline",
        "resume": "never",
        "reinit": True,
        "gpu_log_interval": 5.0,
        "cpu_log_interval": 5.0,
        "embed": True,
        "force": False,
        "save_code": False,
        "resume_from": None,
        "tags": ["t"],
        "webhook_url": "https://example.com/x",
        "webhook_min_level": "WARN",
        "logdir": None,
        "log_dir": None,
        "dir": None,
    }
    given = {name: value for name, value in given.items() if name in INIT_KEYWORDS[tracker].split()}
    with hearing() as heard:
        run = module.init(**given)
        run.log({"a": 1})
        run.finish()
    said = " ".join(heard)
    for name in given.keys() & KEYWORDS.keys():
        assert re.search(rf"[:;,] {name}\b[^;:]* not supported yet: ", said)
    assert tb.get_run(run.id, "p").history().height == 1


# --- the page


def test_page_lists_what_is_not_supported() -> None:
    listed = {row[0]: (row[1], row[2]) for row in rows("Not supported yet")}
    assert {feature: text for feature, (_, text) in listed.items()} == FEATURES
    for feature, (cell, _) in listed.items():
        wanted = {name for name, needed in [*CALLS.items(), *KEYWORDS.items()] if needed == feature}
        if feature == "media":
            wanted |= set(MEDIA)
        if feature == "registries":
            wanted |= set(REGISTRIES)
        assert set(names(cell)) == wanted


def test_page_lists_what_is_refused() -> None:
    (sentence,) = re.findall(r"^Of these (.*?)raise", PAGE, re.MULTILINE | re.DOTALL)
    assert set(names(sentence)) == REFUSED


def test_page_lists_what_works() -> None:
    listed = {name for row in rows("What the names do") for name in names(row[0])}
    assert listed == {*USES, "ensure_configured"}


def test_every_shared_name_is_on_the_page() -> None:
    listed = {
        name
        for heading in ("What the names do", "Not supported yet")
        for row in rows(heading)
        for name in names(" ".join(row[:2]))
    }
    assert set(shared.__all__) <= listed


@pytest.mark.parametrize("tracker", TRACKERS)
def test_dialect_has_a_docstring_and_a_version(tracker: str) -> None:
    module = importlib.import_module(f"trackbook.compat.{tracker}")
    assert inspect.getdoc(module)
    assert re.fullmatch(r"\d+\.\d+\.\d+", module.__version__)
    assert all(hasattr(module, name) for name in module.__all__)
