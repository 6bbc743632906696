from pathlib import Path

from server.access import Principal
from server.service import Service
from server.workers.messages import Answer
from tests.server.api.conftest import PICTURE, Bench, Caller, Client

AT = "/api/v1/pictures"
MISSING = Answer(
    0, error={"problems": [{"code": "missing_file", "message": "no picture; put it into /data"}]}
)


def sent(service: Service, name: str, content: bytes = PICTURE) -> Path:
    place = service.settings.data / "inputs" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


async def test_a_picture_of_ones_own_comes_first(
    client: Client, service: Service, bench: Bench
) -> None:
    sent(service, "album/cat.png")
    answer = await client.get(f"{AT}/album/cat.png")
    assert (answer.status, answer.content_type) == (200, "image/png")
    assert await answer.read() == PICTURE
    assert "place" not in dict(bench.questions)
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert (await client.get(f"{AT}/album/cat.png", headers=tag)).status == 304


async def test_a_picture_that_comes_along_is_found_by_the_node_package(
    client: Client, service: Service, bench: Bench, tmp_path: Path
) -> None:
    shipped = tmp_path / "postcard.png"
    shipped.write_bytes(PICTURE)
    bench.answers["place"] = Answer(0, {"path": str(shipped)})
    answer = await client.get(f"{AT}/postcard.png")
    assert await answer.read() == PICTURE
    asked = dict(bench.questions)["place"]
    inputs = str(service.settings.data / "inputs")
    assert asked == {"kind": "images", "name": "postcard.png", "inputs": inputs}
    bench.answers["thumbnail"] = Answer(0, blob=b"\xff\xd8\xff small")
    small = await client.get(f"{AT}/postcard.png", params={"thumbnail": "64"})
    assert (await small.read(), small.content_type) == (b"\xff\xd8\xff small", "image/jpeg")


async def test_a_picture_of_somebody_else_is_not_there(
    client: Client, service: Service, caller: Caller, bench: Bench
) -> None:
    sent(service, "cat.png")
    bench.answers["place"] = MISSING
    caller.principal = Principal("eve", frozenset({"read"}))
    answer = await client.get(f"{AT}/cat.png")
    told = await answer.json()
    assert (answer.status, told["detail"]) == (404, "there is no picture 'cat.png'")
    assert dict(bench.questions)["place"]["inputs"].endswith("users/eve/inputs")


async def test_what_is_no_picture_by_its_name_is_not_told(
    client: Client, service: Service, bench: Bench
) -> None:
    for name in ("notes.txt", ".uploading-1.png", ".hidden/cat.png", "starter.safetensors"):
        sent(service, name)
        assert (await client.get(f"{AT}/{name}")).status == 404
    assert bench.questions == []


async def test_names_that_lead_out_are_refused(client: Client, service: Service) -> None:
    (service.settings.data / "secret.png").write_bytes(PICTURE)
    (sent(service, "cat.png").parent / "link.png").symlink_to("../secret.png")
    for name in ("..%2Fsecret.png", "%2Fetc%2Fa.png", "a%2F..%2F..%2Fsecret.png", "link.png"):
        assert (await client.get(f"{AT}/{name}")).status in {404, 422}, name


async def test_a_desk_that_cannot_tell_says_so(client: Client, bench: Bench) -> None:
    bench.answers["place"] = Answer(0, error={"detail": "the disk is gone"})
    answer = await client.get(f"{AT}/cat.png")
    assert (answer.status, (await answer.json())["detail"]) == (422, "the disk is gone")
