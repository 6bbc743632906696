from .conftest import Hire, graph


async def test_a_run_gives_its_outputs(hire: Hire) -> None:
    async with hire() as crew:
        done = await crew.run(graph("Add", {"a": 1, "b": 2}))
        assert done.state == "succeeded"
        assert done.outputs == {"out": {"value": 3.0}}
        assert [event.type for event in crew.happened] == ["node.started", "node.finished"]
