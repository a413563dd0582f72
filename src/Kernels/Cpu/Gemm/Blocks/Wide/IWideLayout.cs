using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <summary>
/// How the elements of a block become floats in 512-bit registers, those that <see cref="WeightFormat.Decode"/> gives.
/// </summary>
/// <remarks>
/// <para>A block is read in parts of 32 or 64 elements. What a part's elements share is worked out once: a scale goes
/// into a table of sixteen weights, and one permutation of that table gives sixteen elements of four bits.</para>
/// <para>The scales of GGUF have 11 bits (fp16), scales of scales 6 or 8 and elements 4, 6 or 8. So their products fit
/// the 24 bits of fp32 and are exact in any order; only the minimum of Q4_K rounds, once.</para>
/// </remarks>
internal unsafe interface IWideLayout
{
    /// <summary>Elements of a block; 0 where a row is one block.</summary>
    static abstract int Size { get; }

    /// <summary>Bytes of a block; of its scale where a row is one block.</summary>
    static abstract int Bytes { get; }

    /// <summary>Elements of a part: 32 or 64.</summary>
    static abstract int Part { get; }

    /// <summary>Floats that <see cref="Prepare"/> writes.</summary>
    static abstract int Scales { get; }

    /// <summary>What all blocks share, in memory that stays where it is.</summary>
    static abstract float* Table { get; }

    /// <summary>Works out what the parts of a block read.</summary>
    static abstract void Prepare(byte* block, float* scales, float* table);

    /// <summary>The elements of a part; of 32, in the first two vectors.</summary>
    /// <param name="block">The block.</param>
    /// <param name="part">Which part of it.</param>
    /// <param name="scales">What <see cref="Prepare"/> wrote.</param>
    /// <param name="table"><see cref="Table"/>.</param>
    static abstract WidePart Load(byte* block, int part, float* scales, float* table);
}

/// <summary>Up to 64 elements, in order.</summary>
internal readonly struct WidePart(
    Vector512<float> a, Vector512<float> b, Vector512<float> c = default, Vector512<float> d = default)
{
    public Vector512<float> A { get; } = a;

    public Vector512<float> B { get; } = b;

    public Vector512<float> C { get; } = c;

    public Vector512<float> D { get; } = d;
}
