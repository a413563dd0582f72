using System.Runtime.CompilerServices;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>
/// Eight neighbors of a row in a thread's registers, which one thread reads at a time: 16 bytes of bf16.
/// </summary>
/// <remarks>
/// Kernels that stream memory process eight elements per thread, so that a warp accesses 512 bytes or more in one or
/// two instructions. Fields, since an array indexed by a loop would be a stack.
/// </remarks>
internal readonly struct Float8(float a, float b, float c, float d, float e, float f, float g, float h)
{
    /// <summary>How many.</summary>
    public const int Count = 8;

    public readonly float A = a, B = b, C = c, D = d, E = e, F = f, G = g, H = h;

    /// <summary>All eight times one number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 All(float x) => new(x, x, x, x, x, x, x, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 operator +(Float8 x, Float8 y) =>
        new(x.A + y.A, x.B + y.B, x.C + y.C, x.D + y.D, x.E + y.E, x.F + y.F, x.G + y.G, x.H + y.H);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 operator -(Float8 x, Float8 y) =>
        new(x.A - y.A, x.B - y.B, x.C - y.C, x.D - y.D, x.E - y.E, x.F - y.F, x.G - y.G, x.H - y.H);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 operator *(Float8 x, Float8 y) =>
        new(x.A * y.A, x.B * y.B, x.C * y.C, x.D * y.D, x.E * y.E, x.F * y.F, x.G * y.G, x.H * y.H);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 operator /(Float8 x, Float8 y) =>
        new(x.A / y.A, x.B / y.B, x.C / y.C, x.D / y.D, x.E / y.E, x.F / y.F, x.G / y.G, x.H / y.H);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 operator *(float s, Float8 x) =>
        new(s * x.A, s * x.B, s * x.C, s * x.D, s * x.E, s * x.F, s * x.G, s * x.H);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Exp(Float8 x) => new(
        XMath.Exp(x.A), XMath.Exp(x.B), XMath.Exp(x.C), XMath.Exp(x.D),
        XMath.Exp(x.E), XMath.Exp(x.F), XMath.Exp(x.G), XMath.Exp(x.H));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Sqrt(Float8 x) => new(
        XMath.Sqrt(x.A), XMath.Sqrt(x.B), XMath.Sqrt(x.C), XMath.Sqrt(x.D),
        XMath.Sqrt(x.E), XMath.Sqrt(x.F), XMath.Sqrt(x.G), XMath.Sqrt(x.H));

    /// <summary>1 at one place, 0 elsewhere; 0 everywhere where the place is outside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 OneAt(int place) => new(
        place == 0 ? 1f : 0f, place == 1 ? 1f : 0f, place == 2 ? 1f : 0f, place == 3 ? 1f : 0f,
        place == 4 ? 1f : 0f, place == 5 ? 1f : 0f, place == 6 ? 1f : 0f, place == 7 ? 1f : 0f);

    /// <summary>The sum, neighbors first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => ((A + B) + (C + D)) + ((E + F) + (G + H));

    /// <summary>The same in fp64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double WideSum() => (((double)A + B) + ((double)C + D)) + (((double)E + F) + ((double)G + H));

    /// <summary>Σ x² in fp64, where no square of an fp32 number overflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double SumOfSquares() =>
        ((((double)A * A) + ((double)B * B)) + (((double)C * C) + ((double)D * D)))
        + ((((double)E * E) + ((double)F * F)) + (((double)G * G) + ((double)H * H)));

    /// <summary>The largest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Max() => XMath.Max(
        XMath.Max(XMath.Max(A, B), XMath.Max(C, D)), XMath.Max(XMath.Max(E, F), XMath.Max(G, H)));
}
