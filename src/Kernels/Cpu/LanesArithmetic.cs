using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <content>Arithmetic on whole vectors, for ops that go element by element.</content>
internal unsafe partial interface ILanes<TSelf>
{
    static abstract TSelf operator +(TSelf x, TSelf y);

    static abstract TSelf operator -(TSelf x, TSelf y);

    static abstract TSelf operator *(TSelf x, TSelf y);

    static abstract TSelf operator /(TSelf x, TSelf y);

    /// <summary>The larger of each two; where one is NaN, either.</summary>
    static abstract TSelf Max(TSelf x, TSelf y);

    /// <summary>x &lt; y ? then : otherwise, lane by lane; comparisons with NaN are false.</summary>
    static abstract TSelf WhereLess(TSelf x, TSelf y, TSelf then, TSelf otherwise);

    static abstract TSelf SquareRoot(TSelf x);

    /// <summary>
    /// Moves the eight lowest bits of each float to where its exponent stands; the rest becomes zero.
    /// </summary>
    static abstract TSelf LowBitsAsExponent(TSelf x);

    /// <summary>The largest of all lanes.</summary>
    static abstract float Largest(TSelf x);
}

/// <content>Arithmetic on whole vectors, for ops that go element by element.</content>
internal readonly unsafe partial struct Lanes512
{
    public static Lanes512 operator +(Lanes512 x, Lanes512 y) => new(x._value + y._value);

    public static Lanes512 operator -(Lanes512 x, Lanes512 y) => new(x._value - y._value);

    public static Lanes512 operator *(Lanes512 x, Lanes512 y) => new(x._value * y._value);

    public static Lanes512 operator /(Lanes512 x, Lanes512 y) => new(x._value / y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Max(Lanes512 x, Lanes512 y) => new(Vector512.MaxNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 WhereLess(Lanes512 x, Lanes512 y, Lanes512 then, Lanes512 otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(x._value, y._value), then._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 SquareRoot(Lanes512 x) => new(Vector512.Sqrt(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LowBitsAsExponent(Lanes512 x) =>
        new(Vector512.ShiftLeft(x._value.AsInt32(), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes512 x) =>
        Lanes256.Largest(new(Vector256.MaxNative(x._value.GetLower(), x._value.GetUpper())));
}

/// <content>Arithmetic on whole vectors, for ops that go element by element.</content>
internal readonly unsafe partial struct Lanes256
{
    public static Lanes256 operator +(Lanes256 x, Lanes256 y) => new(x._value + y._value);

    public static Lanes256 operator -(Lanes256 x, Lanes256 y) => new(x._value - y._value);

    public static Lanes256 operator *(Lanes256 x, Lanes256 y) => new(x._value * y._value);

    public static Lanes256 operator /(Lanes256 x, Lanes256 y) => new(x._value / y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Max(Lanes256 x, Lanes256 y) => new(Vector256.MaxNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 WhereLess(Lanes256 x, Lanes256 y, Lanes256 then, Lanes256 otherwise) =>
        new(Vector256.ConditionalSelect(Vector256.LessThan(x._value, y._value), then._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 SquareRoot(Lanes256 x) => new(Vector256.Sqrt(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LowBitsAsExponent(Lanes256 x) =>
        new(Vector256.ShiftLeft(x._value.AsInt32(), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes256 x) =>
        Lanes128.Largest(new(Vector128.MaxNative(x._value.GetLower(), x._value.GetUpper())));
}

/// <content>Arithmetic on whole vectors, for ops that go element by element.</content>
internal readonly unsafe partial struct Lanes128
{
    public static Lanes128 operator +(Lanes128 x, Lanes128 y) => new(x._value + y._value);

    public static Lanes128 operator -(Lanes128 x, Lanes128 y) => new(x._value - y._value);

    public static Lanes128 operator *(Lanes128 x, Lanes128 y) => new(x._value * y._value);

    public static Lanes128 operator /(Lanes128 x, Lanes128 y) => new(x._value / y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Max(Lanes128 x, Lanes128 y) => new(Vector128.MaxNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 WhereLess(Lanes128 x, Lanes128 y, Lanes128 then, Lanes128 otherwise) =>
        new(Vector128.ConditionalSelect(Vector128.LessThan(x._value, y._value), then._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 SquareRoot(Lanes128 x) => new(Vector128.Sqrt(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LowBitsAsExponent(Lanes128 x) =>
        new(Vector128.ShiftLeft(x._value.AsInt32(), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Lanes128 x) =>
        MathF.Max(MathF.Max(x._value[0], x._value[1]), MathF.Max(x._value[2], x._value[3]));
}
