"""Workers: the processes that run graphs, and what the server says to them and hears of them."""
