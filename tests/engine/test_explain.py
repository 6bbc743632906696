"""Why a node is stored or will run: the journal, and what it says has changed."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import journal as journal_module
from engine.check import compile_graph
from engine.executor import execute
from engine.explain import Change
from engine.journal import Entry, Journal, MadeOf, run_id
from engine.keys import TypeDigests
from engine.plan import Plan, make_plan
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from . import toys
from .conftest import SEWN, flow, link

Session = Callable[..., Plan]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "data" / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def done(store: Store, runtime: Runtime, journal: Journal) -> Callable[..., None]:
    """Runs a document and notes it down."""

    def done(workflow: Workflow, lent: Runtime = runtime) -> None:
        execute(compile_graph(workflow, toys.catalog, lent), store, lent, journal=journal)

    return done


@pytest.fixture
def plan(store: Store, runtime: Runtime, journal: Journal) -> Session:
    def plan(workflow: Workflow, lent: Runtime = runtime) -> Plan:
        return make_plan(compile_graph(workflow, toys.catalog, lent), store, lent, journal)

    return plan


def changes(plan: Plan, node: str) -> list[tuple[str, str, str, str]]:
    reason = plan.nodes[node].reason
    assert reason is not None
    return [(c.kind, c.name, c.before, c.after) for c in reason.changes]


def test_a_stored_result_tells_its_run_and_its_cost(done: Any, plan: Session) -> None:
    done(flow(SEWN))
    sewn = plan(flow(SEWN)).nodes["sewn"]
    assert sewn.state == "stored"
    assert sewn.run in sewn.why
    assert sewn.seconds is not None
    assert sewn.bytes is not None
    assert abs((sewn.created or 0) - time.time()) < 60


def test_a_changed_input_is_named_with_both_values(done: Any, plan: Session) -> None:
    done(flow(SEWN))
    planned = plan(flow(SEWN | {"thread": ("Spin", {"metres": 7.0})}))
    assert changes(planned, "thread") == [("input", "metres", "2.0", "7.0")]
    assert planned.nodes["thread"].why.startswith("metres was 2.0, is 7.0 (since it was made ")
    assert planned.nodes["sewn"].why == 'it follows "thread", which will run'
    assert planned.nodes["sewn"].reason is None
    assert planned.seconds >= 0
    assert planned.nodes["sewn"].seconds is not None


def test_a_node_that_follows_and_has_changed_tells_its_change(done: Any, plan: Session) -> None:
    done(flow(SEWN))
    edited = SEWN | {"thread": ("Spin", {"metres": 7.0})}
    kind, inputs = SEWN["sewn"]
    edited["sewn"] = (kind, {**inputs, "stitches": 9})  # type: ignore[dict-item]
    assert changes(plan(flow(edited)), "sewn") == [("input", "stitches", "3", "9")]


def test_a_link_to_another_stored_result_is_told(done: Any, plan: Session) -> None:
    nodes = {"a": ("Dye", {"colour": "red"}), "b": ("Dye", {"colour": "blue"})}
    done(flow(nodes | {"n": ("Pass", {"value": link("a")})}, a="n.value", b="b.value"))
    planned = plan(flow(nodes | {"n": ("Pass", {"value": link("b")})}, n="n.value"))
    assert changes(planned, "n") == [("link", "value", "", "")]
    assert "value leads to another result" in planned.nodes["n"].why
    literal = plan(flow({"n": ("Pass", {"value": 5})}))
    assert changes(literal, "n") == [("input", "value", "a link", "5")]


def test_libraries_versions_files_and_code_are_told(
    done: Any, plan: Session, runtime: Runtime, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = flow({"book": ("Read", {"title": "red"})})
    done(nodes)
    newer = replace(runtime, profile={"device": "cuda", "torch": "3.0"})
    assert changes(plan(nodes, newer), "book") == [
        ("profile", "device", "cpu", "cuda"), ("profile", "torch", "not there", "3.0"),
    ]  # fmt: skip
    declared = toys.catalog["Read"]
    monkeypatch.setitem(
        toys.catalog.types, "Read", replace(declared, fingerprint=lambda title: "new")
    )
    planned = plan(nodes)
    assert changes(planned, "book") == [("file", "title", "", "")]
    assert "the file behind title has changed" in planned.nodes["book"].why
    monkeypatch.setitem(toys.catalog.types, "Read", replace(declared, version=2))
    assert changes(plan(flow({"book": ("Read", {"title": "red"})})), "book") == [
        ("version", "its version", "1", "2")
    ]
    monkeypatch.setitem(toys.catalog.types, "Read", declared)
    original = TypeDigests.files

    def edited(self: TypeDigests, declared: Any) -> dict[str, str]:
        return original(self, declared) | {"tests/engine/toys.py": "edited"}

    monkeypatch.setattr(TypeDigests, "files", edited)
    ((kind, name, *_),) = changes(plan(nodes), "book")
    assert (kind, name) == ("code", "tests/engine/toys.py")
    assert "its code has changed: tests/engine/toys.py" in plan(nodes).nodes["book"].why
    journal._write("delete from codes where digest like ?", [("%",)])
    ((_, name, *_),) = changes(plan(nodes), "book")
    assert name == "which file is not known"


def test_a_file_is_blamed_on_the_inputs_where_none_is_a_text(journal: Journal) -> None:
    assert Change("file", "its inputs").text == "the file behind its inputs has changed"


def test_nothing_like_it_was_made_before(plan: Session) -> None:
    planned = plan(flow(SEWN))
    assert planned.nodes["cloth"].why == "nothing like it was made before"
    assert planned.nodes["cloth"].seconds is None


def test_a_result_that_was_let_go_of_is_told(
    done: Any, store: Store, plan: Session, tmp_path: Path
) -> None:
    done(flow(SEWN))
    store.clear()
    planned = plan(flow(SEWN))
    assert "is not stored any more" in planned.nodes["cloth"].why
    assert planned.nodes["cloth"].seconds is not None


def test_the_nearest_of_several_results_is_chosen(done: Any, plan: Session) -> None:
    kind, given = SEWN["sewn"]
    inputs: Any = given
    for metres, stitches in ((1.0, 3), (2.0, 4)):
        sewn = (kind, {**inputs, "stitches": stitches})
        done(flow(SEWN | {"thread": ("Spin", {"metres": metres}), "sewn": sewn}))
    other = flow({"mine": ("Spin", {"metres": 5.0})})
    assert changes(plan(other), "mine") == [("input", "metres", "2.0", "5.0")]


def test_long_values_are_shortened(done: Any, plan: Session) -> None:
    done(flow({"n": ("Pass", {"value": "x"})}))
    ((*_, after),) = changes(plan(flow({"n": ("Pass", {"value": "y" * 100})})), "n")
    assert len(after) == 60
    ((_, _, before, _),) = changes(plan(flow({"n": ("Pass", {"value": "y" * 100})})), "n")
    assert before == '"x"'


def test_what_an_input_was_when_it_was_not_there(
    done: Any, plan: Session, journal: Journal
) -> None:
    done(flow({"n": ("Spin", {"metres": 1.0})}))
    journal._write("update results set made_of = replace(made_of, ?, ?)", [('"metres"', '"gone"')])
    assert changes(plan(flow({"n": ("Spin", {"metres": 2.0})})), "n") == [
        ("input", "gone", "1.0", "not there"), ("input", "metres", "not there", "2.0"),
    ]  # fmt: skip


def test_the_journal_knows_its_runs(done: Any, plan: Session, journal: Journal) -> None:
    done(flow(SEWN))
    run = plan(flow(SEWN)).nodes["sewn"].run
    found = journal.run(run)
    assert found is not None
    assert abs(found[1] - time.time()) < 60
    assert journal.run("none") is None
    assert journal.files("none") == {}


def spinning(work: Callable[[Any], float | None]) -> Any:
    """A catalogue in which Spin foretells how much there is to do."""
    return dict(toys.catalog.items()) | {"Spin": replace(toys.catalog["Spin"], work=work)}


@pytest.mark.parametrize(
    ("work", "times"),
    [
        (lambda metres: metres**2, 9),
        (lambda metres: None if metres > 5 else metres, 1),
        (lambda metres: metres * 0, 1),
    ],
)
def test_expected_time_goes_with_the_work(
    work: Any, times: int, store: Store, runtime: Runtime, journal: Journal
) -> None:
    def document(metres: float) -> Workflow:
        return flow({"thread": ("Spin", {"metres": metres})})

    foretelling = spinning(work)
    execute(compile_graph(document(2.0), foretelling, runtime), store, runtime, journal=journal)
    (made,) = journal.of_type("Spin")

    later = make_plan(compile_graph(document(6.0), foretelling, runtime), store, runtime, journal)

    assert later.nodes["thread"].seconds == pytest.approx(times * made.seconds)


def test_work_that_cannot_be_foretold_any_more_stops_nothing(
    store: Store, runtime: Runtime, journal: Journal
) -> None:
    def gone(metres: float) -> float:
        raise FileNotFoundError(metres)

    program = compile_graph(flow({"t": ("Spin", {})}), spinning(gone), runtime)
    execute(program, store, runtime, journal=journal)
    assert [entry.work for entry in journal.of_type("Spin")] == [None]


def test_a_journal_of_before_work_was_noted_is_taken_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as old:
        old.executescript(journal_module._SCHEMA.replace(", work real", ""))
        columns = journal_module._COLUMNS.removesuffix(", work")
        made_of = MadeOf(1, "c", {}).text()
        row = ("k", "a", "w", "Spin", "r", 1.0, 0.5, 3, None, made_of)
        old.execute(f"insert into results ({columns}) values ({','.join('?' * 10)})", row)  # noqa: S608
    old.close()
    journal = Journal(path)
    journal.note(replace(entry("b"), created=2.0, work=7.0))
    journal.flush()
    assert [found.work for found in journal.of_type("Spin")] == [7.0, None]
    assert journal.fault is None
    journal.close()


def entry(node: str) -> Entry:
    return Entry("k", node, "w", "Spin", run_id(), 1.0, 0.0, 3, None, MadeOf(1, "c", {}))


def test_a_journal_in_a_bad_place_stops_nothing(
    store: Store, runtime: Runtime, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    broken = Journal(tmp_path / "file" / "journal.db")
    execute(compile_graph(flow(SEWN), toys.catalog, runtime), store, runtime, journal=broken)
    assert broken.of_type("Spin") == []
    assert broken.fault is not None
    (tmp_path / "journal.db").write_text(
        "this is no database, and long enough to be looked at" * 20
    )
    damaged = Journal(tmp_path / "journal.db")
    damaged.note(entry("a"))
    assert damaged.of_type("Spin") == []
    assert "not a database" in str(damaged.fault)
    damaged.close()


def test_damaged_rows_are_passed_over(journal: Journal) -> None:
    journal.note(entry("a"))
    journal.flush()
    journal._write("update results set made_of = ?", [("{",)])
    assert journal.of_type("Spin") == []


def test_rows_are_written_in_batches(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.note(entry("a"))
    journal.note(entry("b"))
    assert [each.node for each in journal.of_type("Spin")] == ["a"]
    journal.close()
    assert {each.node for each in journal.of_type("Spin")} == {"a", "b"}


def test_the_oldest_rows_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_MOST_ROWS", 3)
    journal = Journal(tmp_path / "j.db")
    for name in "abcde":
        journal.note(entry(name))
    journal.close()
    assert {each.node for each in journal.of_type("Spin")} == {"c", "d", "e"}
    journal.close()
    connection = sqlite3.connect(tmp_path / "j.db")
    assert connection.execute("select count(*) from results").fetchone() == (3,)
    connection.close()


def test_nodes_that_run_each_time_and_kinds_that_are_known_tell_their_cost(
    done: Any, plan: Session
) -> None:
    nodes = {
        "t": ("Spin", {"metres": 1.0}),
        "dice": ("Dice", {}),
        "n": ("Add", {"a": link("dice")}),
    }
    done(flow(nodes, t="t.value", n="n.value"))
    more = {"u": ("Spin", {"metres": 2.0}), "v": ("Spin", {"metres": 3.0})}
    planned = plan(flow(nodes | more, n="n.value", u="u.value", v="v.value"))
    assert planned.nodes["dice"].seconds is None
    assert planned.nodes["n"].seconds is not None
    assert changes(planned, "u") == [("input", "metres", "1.0", "2.0")]
    assert changes(planned, "v") == [("input", "metres", "1.0", "3.0")]
