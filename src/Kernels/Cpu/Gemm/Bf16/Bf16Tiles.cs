using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>
/// The machine code of every bf16 tile, 1 to 12 rows, one or two vectors, all forms of A; and of rounding.
/// </summary>
/// <remarks>
/// .NET has no intrinsics for vdpbf16ps and vcvtne2ps2bf16 (AVX512_BF16), so the tiles are written byte by byte and
/// mapped as code. Where the instructions are missing, slow, or code may not be mapped, the same bytes come from fp32
/// multiply-adds (<see cref="Bf16Emulation"/>).
/// </remarks>
internal sealed unsafe class Bf16Tiles
{
    /// <summary>A processor that splits the instruction gains nothing by it.</summary>
    private const double LeastGain = 1.1;

    private const int Alignment = 64;

    /// <summary>k of the tiles that are timed.</summary>
    private const int TrialK = 256;

    private static readonly Lazy<(Bf16Tiles? Tiles, string Description)> Choice = new(Choose);

    // Never disposed of: the code is needed as long as the process runs.
    private readonly CodeMemory _memory;
    private readonly int[] _offsets;
    private readonly delegate* unmanaged<RoundingArguments*, void> _round;

    private Bf16Tiles(CodeMemory memory, int[] offsets, int rounding)
    {
        (_memory, _offsets) = (memory, offsets);
        _round = (delegate* unmanaged<RoundingArguments*, void>)(memory.Start + rounding);
    }

    /// <summary>The tiles, where they are worth running here; null where bf16 is emulated.</summary>
    public static Bf16Tiles? Instance => Choice.Value.Tiles;

    /// <summary><c>instruction, 1.97×</c>, or <c>emulated (reason)</c>.</summary>
    public static string Description => Choice.Value.Description;

    /// <summary>Whether the processor has the instruction, and the vectors beside it.</summary>
    public static bool IsSupported => Avx512BW.IsSupported
        && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>Where the code begins.</summary>
    internal byte* Start => _memory.Start;

    /// <summary>C = addend + scale · (A B + A′ B′) for one tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(TileForm form, int rows, int vectors, TileArguments* arguments)
    {
        var code = _memory.Start + _offsets[Index(form, rows, vectors)];
        ((delegate* unmanaged<TileArguments*, void>)code)(arguments);
    }

    /// <summary>Rounds some numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Round(RoundingArguments* arguments) => _round(arguments);

    /// <summary>
    /// Writes and maps all tiles, whether or not they are worth running; null, with the reason, if not.
    /// </summary>
    /// <param name="reason">Why there are none.</param>
    /// <param name="change">For tests: what becomes of the code of a tile.</param>
    internal static Bf16Tiles? TryCreate(
        out string? reason, Func<(TileForm Form, int Rows, int Vectors), byte[], byte[]>? change = null)
    {
        if (!IsSupported)
        {
            reason = "no AVX512_BF16";
            return null;
        }

        var code = new List<byte>();
        var offsets = new int[Index(TileForm.Scores, TileCode.Rows, 2) + 1];
        foreach (var form in Enum.GetValues<TileForm>())
        {
            for (var rows = 1; rows <= TileCode.Rows; rows++)
            {
                for (var vectors = 1; vectors <= 2; vectors++)
                {
                    offsets[Index(form, rows, vectors)] = code.Count;
                    var tile = TileCode.Write(form, rows, vectors, OperatingSystem.IsWindows());
                    code.AddRange(change?.Invoke((form, rows, vectors), tile) ?? tile);
                    code.AddRange(new byte[(Alignment - (code.Count % Alignment)) % Alignment]);
                }
            }
        }

        var rounding = code.Count;
        code.AddRange(RoundingCode.Write(OperatingSystem.IsWindows()));
        var memory = CodeMemory.TryMap(CollectionsMarshal.AsSpan(code), out reason);
        return memory is null ? null : new Bf16Tiles(memory, offsets, rounding);
    }

    private static int Index(TileForm form, int rows, int vectors) =>
        (((((int)form * TileCode.Rows) + rows) - 1) * 2) + vectors - 1;

    private static (Bf16Tiles? Tiles, string Description) Choose()
    {
        if (Environment.GetEnvironmentVariable("SAFELLAMA_EMIT") == "0")
        {
            return (null, "emulated (SAFELLAMA_EMIT=0)");
        }

        if (TryCreate(out var reason) is not { } tiles)
        {
            return (null, $"emulated ({reason})");
        }

        var (fast, plain) = tiles.Time();
        var gain = plain / fast;
        return gain > LeastGain
            ? (tiles, FormattableString.Invariant($"instruction, {gain:F2}×"))
            : (null, FormattableString.Invariant($"emulated (the instruction is {gain:F2}× as fast as fp32)"));
    }

    /// <summary>10⁹ operations a second: the best of a few milliseconds.</summary>
    public double Gigaflops() => 2e-9 * TileCode.Rows * TileCode.Columns * TrialK / Time().Instruction;

    /// <summary>
    /// Seconds of one tile by the instruction, and of the same sums by the fp32 tile: the best of some.
    /// </summary>
    private (double Instruction, double Plain) Time()
    {
        const int K = TrialK;
        const int Calls = 20;
        const int ARow = 4 * K;
        using var memory = new HostMemory((TileCode.Rows * ARow) + (2 * K * TileCode.StepBytes) + 8192, "bf16 trial");
        var a = memory.Pointer;
        var b = a + (TileCode.Rows * ARow);
        var c = (float*)(b + (K * TileCode.StepBytes));
        var pairs = new TileArguments
        {
            A = a,
            ARowBytes = ARow / 2,
            B = b,
            BEnd = b + (K / 2 * TileCode.StepBytes),
            C = c,
            CRowBytes = TileCode.StepBytes,
            Scale = 1,
            LastMask = 0xFFFF,
        };
        var floats = new MicroKernelOperands
        {
            A = (float*)a,
            RowStride = K,
            StepStride = 1,
            B = (float*)b,
            PanelStride = TileCode.Columns,
            K = K,
            C = c,
            CStride = TileCode.Columns,
            Scale = 1,
        };
        var (fast, plain) = (long.MaxValue, long.MaxValue);
        for (var round = 0; round < 8; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < Calls; i++)
            {
                Multiply(TileForm.Rows, TileCode.Rows, 2, &pairs);
            }

            var middle = Stopwatch.GetTimestamp();
            for (var i = 0; i < Calls; i++)
            {
                MicroKernel<Lanes512, Kernel12x2, StoredFloat32>.Multiply(floats);
            }

            fast = Math.Min(fast, middle - start);
            plain = Math.Min(plain, Stopwatch.GetTimestamp() - middle);
        }

        var second = (double)Calls * Stopwatch.Frequency;
        return (fast / second, plain / second);
    }
}
