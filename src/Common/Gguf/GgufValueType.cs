namespace SafeLlama.Common;

/// <summary>
/// The numbers that the format gives to the types of values. Only these are written; more can be read.
/// </summary>
public static class GgufValueType
{
    public const uint U32 = 4;
    public const uint I32 = 5;
    public const uint F32 = 6;
    public const uint Bool = 7;
    public const uint Text = 8;
    public const uint Array = 9;
}
