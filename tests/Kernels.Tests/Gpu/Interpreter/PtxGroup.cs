using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

/// <summary>A thread group on its way through a program, its warps taking turns in an order drawn at random.</summary>
/// <remarks>
/// The lanes of a warp stand where their branches led them; those furthest behind go first, and an instruction that the
/// warp executes as one waits until all 32 stand at it. A barrier waits for every thread of the group.
/// </remarks>
internal sealed class PtxGroup
{
    private readonly PtxCode _code;
    private readonly PtxProgram _program;
    private readonly PtxThread[] _threads;

    public PtxGroup(
        PtxProgram program, PtxCode code, PtxGlobal global, (int X, int Y) place, (int X, int Y) grid, int threads,
        int dynamicBytes)
    {
        (_program, _code, Global, Place, Grid, Threads, DynamicBytes) =
            (program, code, global, place, grid, threads, dynamicBytes);
        Shared = new PtxShared(program.SharedBytes + dynamicBytes);
        _threads = [.. Enumerable.Range(0,
            threads).Select(i => new PtxThread(this, i, program.RegisterCount, program.LocalBytes))];
    }

    public PtxGlobal Global { get; }

    public PtxShared Shared { get; }

    public (int X, int Y) Place { get; }

    public (int X, int Y) Grid { get; }

    public int Threads { get; }

    public int DynamicBytes { get; }

    /// <summary>An instruction as written, for messages.</summary>
    public string At(int instruction) =>
        instruction < _program.Instructions.Count ? _program.Instructions[instruction].ToString() : "the end";

    /// <summary>Runs every thread to its end.</summary>
    /// <param name="order">Which warp goes next, and for how long.</param>
    public void Run(Philox order)
    {
        var warps = _threads.Chunk(32).ToArray();
        for (var turn = 0L; !_threads.All(HasReturned); turn++)
        {
            var ready = warps.Where(CanGo).ToArray();
            if (ready.Length == 0)
            {
                PassBarrier();
                continue;
            }

            var warp = ready[order.Below(2 * turn, ready.Length)];
            for (var step = 1 + order.Below((2 * turn) + 1, 400); step > 0 && CanGo(warp); step--)
            {
                Advance(warp);
            }
        }
    }

    private void PassBarrier()
    {
        foreach (var thread in _threads)
        {
            if (HasReturned(thread) || !_code.Steps[thread.Next].IsBarrier)
            {
                throw new PtxFault(thread, "is not at the barrier that the others wait at");
            }

            thread.Next++;
        }

        Shared.Settle();
    }

    /// <summary>A warp can go on unless all its lanes have returned or stand at a barrier.</summary>
    private bool CanGo(PtxThread[] warp)
    {
        foreach (var lane in warp)
        {
            if (!HasReturned(lane) && !_code.Steps[lane.Next].IsBarrier)
            {
                return true;
            }
        }

        return false;
    }

    private void Advance(PtxThread[] warp)
    {
        var next = _code.Steps.Length;
        foreach (var lane in warp)
        {
            if (lane.Next < next && _code.Steps[lane.Next].Alone is not null)
            {
                next = lane.Next;
            }
        }

        if (next < _code.Steps.Length)
        {
            CountStores(warp, next);
            var step = _code.Steps[next].Alone!;
            foreach (var lane in warp)
            {
                if (lane.Next == next)
                {
                    step(lane);
                }
            }

            return;
        }

        var at = warp[0].Next;
        if (warp.Any(lane => lane.Next != at))
        {
            throw new PtxFault(warp[0], "is executed by a warp whose lanes have parted");
        }

        _code.Steps[at].Together!(warp);
        foreach (var lane in warp)
        {
            lane.Next++;
        }
    }

    /// <summary>
    /// Counts what a store to shared memory by a whole warp costs: 4 bytes a lane at once, 8 in two halves.
    /// </summary>
    private void CountStores(PtxThread[] lanes, int next)
    {
        if (_code.Steps[next].Stores is not { } store || lanes.Length != 32 || lanes.Any(lane => lane.Next != next))
        {
            return;
        }

        foreach (var part in lanes.Chunk(128 / store.Bytes))
        {
            Shared.CountBanks(part.Select(lane => (uint)store.Address(lane)), store.Bytes);
        }
    }

    private bool HasReturned(PtxThread thread) => thread.Next >= _code.Steps.Length;
}
