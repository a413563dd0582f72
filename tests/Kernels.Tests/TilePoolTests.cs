namespace SafeLlama.Kernels.Tests;

internal sealed class TilePoolTests
{
    [Test]
    public void Every_tile_runs_once([Values(1, 2, 3, 16)] int threads, [Values(0, 1, 2, 1000)] int tiles)
    {
        using var pool = new TilePool(threads);
        for (var round = 0; round < 50; round++)
        {
            var runs = new int[tiles];
            pool.For(tiles, tile => Interlocked.Increment(ref runs[tile]));
            Assert.That(runs, Is.All.EqualTo(1));
        }
    }

    [Test]
    public void Sleeping_workers_wake()
    {
        using var pool = new TilePool(4);
        for (var round = 0; round < 5; round++)
        {
            Thread.Sleep(20);
            var sum = 0;
            pool.For(100, tile => Interlocked.Add(ref sum, tile));
            Assert.That(sum, Is.EqualTo(4950));
        }
    }

    [Test]
    public void A_fault_in_a_tile_reaches_the_caller([Values(1, 2, 8)] int threads)
    {
        using var pool = new TilePool(threads);
        for (var round = 0; round < 20; round++)
        {
            Assert.That(
                () => pool.For(50, tile => throw new InvalidDataException($"tile {tile}")),
                Throws.TypeOf<InvalidDataException>());
        }

        var sum = 0;
        pool.For(10, tile => Interlocked.Add(ref sum, tile));
        Assert.That(sum, Is.EqualTo(45), "the pool goes on working");
    }

    [Test]
    public void Ranges_cover_every_row_once([Values(0, 1, 7, 1000)] int rows, [Values(0, 1, 300, 100_000)] int columns)
    {
        using var pool = new TilePool(2);
        var runs = new int[rows];
        pool.ForRows(rows, columns, runs, static (in runs, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                Interlocked.Increment(ref runs[n]);
            }
        });
        Assert.That(runs, Is.All.EqualTo(1));
    }

    /// <summary>
    /// One job serves all ops: a worker that comes late to one must take no tile, and no operands, of another.
    /// </summary>
    [Test]
    public void Ops_that_follow_one_another_keep_their_operands_apart([Values(2, 3, 8)] int threads)
    {
        using var pool = new TilePool(threads);
        var (runs, words) = (new int[7], new string?[5]);
        for (var round = 0; round < 5000; round++)
        {
            pool.For(runs.Length, (runs, round), static (in op, tile) =>
            {
                if (op.runs[tile]++ != op.round)
                {
                    throw new InvalidDataException($"tile {tile} of round {op.round}");
                }
            });
            pool.For(words.Length, words, static (in words, tile) => words[tile] = $"{tile}");
        }

        Assert.That(runs, Is.All.EqualTo(5000));
        Assert.That(words, Is.EqualTo(["0", "1", "2", "3", "4"]));
    }

    [Test]
    public void An_op_inside_anothers_tile_is_refused()
    {
        using var pool = new TilePool(2);
        Assert.That(
            () => pool.For(4, pool, static (in inner, tile) => inner.For(4, tile, static (in op, inside) => { })),
            Throws.InvalidOperationException);
    }

    /// <summary>The caller has run out of tiles and waits for the worker, whose tile begins another op.</summary>
    [Test]
    public void An_op_inside_the_last_tile_of_a_worker_is_refused()
    {
        using var pool = new TilePool(2);
        using var worked = new ManualResetEventSlim();
        var caller = Environment.CurrentManagedThreadId;
        Assert.That(
            () => pool.For(2, tile =>
            {
                if (Environment.CurrentManagedThreadId == caller)
                {
                    worked.Wait();
                    return;
                }

                worked.Set();
                Thread.Sleep(50);
                pool.For(4, inside => { });
            }),
            Throws.InvalidOperationException);
    }

    [Test]
    public void No_threads_is_refused() =>
        Assert.That(() => new TilePool(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
}
