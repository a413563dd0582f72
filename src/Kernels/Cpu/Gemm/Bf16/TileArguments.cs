using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>
/// What one bf16 tile computes: C = addend + scale · (A B + A′ B′). The machine code reads it by offset.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TileArguments
{
    /// <summary>Pairs of bf16 along k; where pair p of row i stands, the <see cref="TileForm"/> says.</summary>
    public byte* A;

    /// <summary>Bytes from row to row of A.</summary>
    public nint ARowBytes;

    /// <summary>A panel: 32 pairs a step.</summary>
    public byte* B;

    /// <summary>B + 128 · steps; a whole number of <see cref="TileCode.Unroll"/> steps.</summary>
    public byte* BEnd;

    /// <summary>fp32 rows of the LoRA branch's u, on the same sums.</summary>
    public float* LoraA;

    /// <summary>Bytes from row to row.</summary>
    public nint LoraARowBytes;

    /// <summary>An fp32 panel [r, 32].</summary>
    public byte* LoraB;

    /// <summary>Equal to <see cref="LoraB"/> where there is no branch.</summary>
    public byte* LoraBEnd;

    public float* C;

    /// <summary>Bytes from row to row of C.</summary>
    public nint CRowBytes;

    /// <summary>Null for nothing.</summary>
    public float* Addend;

    /// <summary>Bytes from row to row of the addend.</summary>
    public nint AddendRowBytes;

    public float Scale;

    /// <summary>One bit for each lane of the last vector that C has.</summary>
    public int LastMask;

    /// <summary>
    /// Room for xmm6 … xmm15, which Windows wants back: so the code moves no stack pointer and is a leaf.
    /// </summary>
    public fixed byte Saved[160];

    public static int OffsetOf(string field) => (int)Marshal.OffsetOf<TileArguments>(field);
}

/// <summary>Where a tile finds pair p of its row i.</summary>
internal enum TileForm
{
    /// <summary>At i · ARowBytes + 4 p: rows of bf16.</summary>
    Rows,

    /// <summary>At 48 p + 4 i: panels of twelve rows, for the gradient of a weight.</summary>
    Panels,

    /// <summary>At 128 p + 4 i: pairs of 32 rows, for the scores of attention.</summary>
    Scores,
}
