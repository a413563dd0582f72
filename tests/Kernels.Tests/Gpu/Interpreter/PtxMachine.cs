using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

/// <summary>Runs PTX as an NVIDIA GPU would, one group after another, forgiving nothing.</summary>
internal static class PtxMachine
{
    /// <summary>Runs all groups of a grid.</summary>
    /// <param name="ptx">A kernel's text.</param>
    /// <param name="global">The memory that its arguments point into.</param>
    /// <param name="grid">Groups along x and y.</param>
    /// <param name="threads">Threads in a group.</param>
    /// <param name="dynamicBytes">Shared memory asked for at launch.</param>
    /// <param name="seed">Of the order in which warps take turns.</param>
    /// <param name="arguments">The bytes of each parameter, in order.</param>
    /// <returns>Bank conflicts met.</returns>
    public static int Run(
        string ptx, PtxGlobal global, (int X, int Y) grid, int threads, int dynamicBytes, long seed,
        params byte[][] arguments)
    {
        var program = new PtxProgram(ptx);
        var code = new PtxCode(program, arguments);
        var conflicts = 0;
        for (var y = 0; y < grid.Y; y++)
        {
            for (var x = 0; x < grid.X; x++)
            {
                var group = new PtxGroup(program, code, global, (x, y), grid, threads, dynamicBytes);
                group.Run(Philox.Stream(seed, "warps", ((long)y * grid.X) + x));
                conflicts += group.Shared.BankConflicts;
            }
        }

        return conflicts;
    }
}
