using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>
/// A stored form of numbers in device memory. Kernels compute in fp32 and are compiled once per stored form.
/// </summary>
/// <remarks>
/// Memory is an array of the form's unit: an element, or a word of the blocks of <see cref="IGpuBlocks{TSelf}"/>.
/// </remarks>
internal interface IGpuStored<TSelf>
    where TSelf : unmanaged, IGpuStored<TSelf>
{
    /// <summary>One number.</summary>
    /// <param name="row">The unit that its row begins with.</param>
    /// <param name="column">Its place in the row.</param>
    static abstract float Read(ArrayView<TSelf> memory, long row, int column);

    /// <summary>Eight neighbors.</summary>
    /// <param name="row">The unit that their row begins with.</param>
    /// <param name="column">Of the first.</param>
    /// <param name="left">How many the row has from there on.</param>
    /// <param name="outside">What stands for those behind.</param>
    static abstract Float8 Read(ArrayView<TSelf> memory, long row, int column, int left, float outside);
}

/// <summary>Elements that stand alone.</summary>
internal interface IGpuElement<TSelf> : IGpuStored<TSelf>
    where TSelf : unmanaged, IGpuElement<TSelf>
{
    static abstract float Widen(TSelf stored);

    /// <summary>Eight neighbors in whole accesses of 16 bytes.</summary>
    /// <param name="at">Of the first, a multiple of 8 of memory that is itself aligned.</param>
    static abstract Float8 Load(ArrayView<TSelf> memory, long at);
}

/// <summary>
/// The forms that activations and gradients take; weights may be stored in any <see cref="IGpuStored{TSelf}"/>.
/// </summary>
internal interface IGpuActivation<TSelf> : IGpuElement<TSelf>
    where TSelf : unmanaged, IGpuActivation<TSelf>
{
    static abstract TSelf Narrow(float value);

    /// <summary>As <see cref="IGpuElement{TSelf}.Load"/>.</summary>
    static abstract void Store(ArrayView<TSelf> memory, long at, Float8 values);
}

/// <summary>16 bytes, read and written as one.</summary>
internal readonly struct Floats4(float a, float b, float c, float d)
{
    public readonly float A = a, B = b, C = c, D = d;
}

/// <summary>16 bytes, read and written as one: eight halves, two in a word, the first in the low bits.</summary>
internal readonly struct Words4(uint a, uint b, uint c, uint d)
{
    public readonly uint A = a, B = b, C = c, D = d;
}

internal readonly struct GpuFloat32(float value) : IGpuActivation<GpuFloat32>
{
    private readonly float _value = value;

    public static float Widen(GpuFloat32 stored) => stored._value;

    public static GpuFloat32 Narrow(float value) => new(value);

    public static float Read(ArrayView<GpuFloat32> memory, long row, int column) => Widen(memory[row + column]);

    public static Float8 Read(ArrayView<GpuFloat32> memory, long row, int column, int left, float outside) =>
        GpuEights.Load(memory, row + column, left, outside);

    public static Float8 Load(ArrayView<GpuFloat32> memory, long at)
    {
        var fours = memory.Cast<Floats4>();
        var (low, high) = (fours[at / 4], fours[(at / 4) + 1]);
        return new(low.A, low.B, low.C, low.D, high.A, high.B, high.C, high.D);
    }

    public static void Store(ArrayView<GpuFloat32> memory, long at, Float8 x)
    {
        var fours = memory.Cast<Floats4>();
        fours[at / 4] = new(x.A, x.B, x.C, x.D);
        fours[(at / 4) + 1] = new(x.E, x.F, x.G, x.H);
    }
}

internal readonly struct GpuBFloat16(ushort bits) : IGpuActivation<GpuBFloat16>
{
    private readonly ushort _bits = bits;

    public static float Widen(GpuBFloat16 stored) => Interop.IntAsFloat((uint)stored._bits << 16);

    public static GpuBFloat16 Narrow(float value) => new((ushort)Round(value));

    public static float Read(ArrayView<GpuBFloat16> memory, long row, int column) => Widen(memory[row + column]);

    public static Float8 Read(ArrayView<GpuBFloat16> memory, long row, int column, int left, float outside) =>
        GpuEights.Load(memory, row + column, left, outside);

    public static Float8 Load(ArrayView<GpuBFloat16> memory, long at)
    {
        var words = memory.Cast<Words4>()[at / 8];
        return new(
            Low(words.A), High(words.A), Low(words.B), High(words.B),
            Low(words.C), High(words.C), Low(words.D), High(words.D));
    }

    public static void Store(ArrayView<GpuBFloat16> memory, long at, Float8 x) =>
        memory.Cast<Words4>()[at / 8] = Pack(x);

    /// <summary>Eight numbers rounded, two in a word.</summary>
    public static Words4 Pack(Float8 x) => new(Pair(x.A, x.B), Pair(x.C, x.D), Pair(x.E, x.F), Pair(x.G, x.H));

    private static float Low(uint word) => Interop.IntAsFloat(word << 16);

    private static float High(uint word) => Interop.IntAsFloat(word & 0xFFFF0000u);

    private static uint Pair(float low, float high) => Round(low) | (Round(high) << 16);

    /// <summary>
    /// To nearest, ties to even, in integer arithmetic: the same on every device, and hidden behind the store.
    /// </summary>
    private static uint Round(float value)
    {
        var bits = Interop.FloatAsInt(value);
        var isNaN = (bits & 0x7FFFFFFFu) > 0x7F800000u;
        return isNaN ? (bits >> 16) | 0x40u : (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
    }
}

/// <summary>Half precision, in which frozen weights may rest; nothing is ever rounded to it on the device.</summary>
internal readonly struct GpuFloat16(ushort bits) : IGpuElement<GpuFloat16>
{
    /// <summary>
    /// 2¹¹²: the distance between the exponent biases of fp32 and fp16. It also normalizes subnormals.
    /// </summary>
    private const float Rebias = 5.192296858534828e33f;

    private readonly ushort _bits = bits;

    public static float Widen(GpuFloat16 stored)
    {
        uint bits = stored._bits;
        var magnitude = (bits & 0x7C00u) == 0x7C00u
            ? 0x7F800000u | ((bits & 0x3FFu) << 13)
            : Interop.FloatAsInt(Interop.IntAsFloat((bits & 0x7FFFu) << 13) * Rebias);
        return Interop.IntAsFloat(magnitude | ((bits & 0x8000u) << 16));
    }

    public static float Read(ArrayView<GpuFloat16> memory, long row, int column) => Widen(memory[row + column]);

    public static Float8 Read(ArrayView<GpuFloat16> memory, long row, int column, int left, float outside) =>
        GpuEights.Load(memory, row + column, left, outside);

    public static Float8 Load(ArrayView<GpuFloat16> memory, long at)
    {
        var words = memory.Cast<Words4>()[at / 8];
        return new(
            Half(words.A), Half(words.A >> 16), Half(words.B), Half(words.B >> 16),
            Half(words.C), Half(words.C >> 16), Half(words.D), Half(words.D >> 16));
    }

    private static float Half(uint word) => Widen(new((ushort)word));
}
