from server.access.buckets import MOST_KEYS, Buckets


def test_a_bucket_empties_and_fills_again() -> None:
    now = 0.0
    buckets = Buckets(rate=2, burst=3, clock=lambda: now)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0
    now = 0.25
    assert buckets.wait("a") == 0.25
    now = 0.5
    assert buckets.wait("a") == 0
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    now = 1000
    assert [buckets.take("a") > 0 for _ in range(4)] == [False] * 3 + [True]


def test_a_clock_that_jumps_back_gives_nothing_away() -> None:
    now = 100.0
    buckets = Buckets(rate=1, burst=1, clock=lambda: now)
    assert buckets.take("a") == 0
    now = 0.0
    assert buckets.take("a") == 1


def test_forgiving_fills_the_bucket() -> None:
    buckets = Buckets(rate=0.001, burst=1)
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    buckets.forgive("a")
    assert buckets.take("a") == 0


def test_what_is_given_back_can_be_taken_again_but_never_more_than_fits() -> None:
    buckets = Buckets(rate=0.001, burst=1)
    buckets.give_back("a")
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    buckets.give_back("a")
    assert buckets.take("a") == 0


def test_strangers_cannot_fill_the_memory() -> None:
    buckets = Buckets(rate=1, burst=1)
    for number in range(MOST_KEYS + 100):
        buckets.take(str(number))
    assert len(buckets._held) == MOST_KEYS
