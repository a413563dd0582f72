namespace SafeLlama.Common;

/// <summary>How the numbers of a GGUF tensor are stored; the values are the format's own.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Naming", "CA1707", Justification = "The names are the format's own, and what a user types.")]
public enum GgufType
{
    F32 = 0,
    F16 = 1,

    /// <summary>32 values of 4 bits and a scale.</summary>
    Q4_0 = 2,

    /// <summary>32 values of 5 bits and a scale.</summary>
    Q5_0 = 6,

    /// <summary>32 values of 5 bits, a scale and a minimum.</summary>
    Q5_1 = 7,

    /// <summary>32 values of 8 bits and a scale.</summary>
    Q8_0 = 8,

    /// <summary>256 values of 4 bits; scales and minimums of 6 bits for each 32.</summary>
    Q4_K = 12,

    /// <summary>256 values of 6 bits; a scale of 8 bits for each 16.</summary>
    Q6_K = 14,
    BF16 = 30,
}

/// <summary>Sizes of the stored types.</summary>
public static class GgufTypes
{
    /// <summary>Whether this engine reads the type.</summary>
    public static bool IsKnown(this GgufType type) => Enum.IsDefined(type);

    /// <summary>The values of one block; a row holds whole blocks.</summary>
    public static int BlockValues(this GgufType type) => type switch
    {
        GgufType.F32 or GgufType.F16 or GgufType.BF16 => 1,
        GgufType.Q4_K or GgufType.Q6_K => 256,
        _ => 32,
    };

    /// <summary>The bytes of one block.</summary>
    public static int BlockBytes(this GgufType type) => type switch
    {
        GgufType.F32 => 4,
        GgufType.F16 or GgufType.BF16 => 2,
        GgufType.Q4_0 => 18,
        GgufType.Q5_0 => 22,
        GgufType.Q5_1 => 24,
        GgufType.Q8_0 => 34,
        GgufType.Q4_K => 144,
        GgufType.Q6_K => 210,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "is no type that is read"),
    };

    /// <summary>The bytes of <paramref name="count"/> values in whole blocks.</summary>
    public static long ByteCount(this GgufType type, long count) =>
        checked(count / type.BlockValues() * type.BlockBytes());
}
