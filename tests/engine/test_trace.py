from engine.trace import NOTHING, Trace, joined


def test_entries_come_the_nearest_first_and_each_once() -> None:
    source = Trace({"source": {"seconds": 1}})
    left, right = Trace({"left": {}}, (source,)), Trace({"right": {}}, (source, source))
    end = Trace({"end": {}, "left": {"seconds": 2}}, (left, right))

    assert list(end.entries()) == ["end", "left", "right", "source"]
    assert end.entries()["left"] == {"seconds": 2}
    assert list(end.entries(3)) == ["end", "left", "right"]
    assert list(end.entries(1)) == ["end"]


def test_empty_traces_are_not_linked() -> None:
    one, other = Trace({"a": {}}), Trace({"b": {}})

    assert joined({}, []) is NOTHING
    assert joined({}, [NOTHING, NOTHING]) is NOTHING
    assert joined({}, [NOTHING, one, one]) is one
    assert joined({}, [one, other]).behind == (one, other)
    assert joined({"c": {}}, [one, NOTHING]).behind == (one,)
