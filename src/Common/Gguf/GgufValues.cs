using System.Buffers.Binary;
using static SafeLlama.Common.GgufValueType;

namespace SafeLlama.Common;

/// <summary>
/// Values of a GGUF header as .NET has them: integers are <see cref="long"/>, floating-point numbers
/// <see cref="double"/>, and arrays are arrays of these, of <see cref="bool"/> or of <see cref="string"/>.
/// </summary>
internal static class GgufValues
{
    /// <summary>The largest text or array; vocabularies and chat templates are far smaller.</summary>
    private const long Limit = 1 << 24;

    public static object Read(GgufCursor from, string key)
    {
        var type = from.U32();
        if (type != GgufValueType.Array)
        {
            return ReadOne(from, type, key);
        }

        var of = from.U32();
        if (of == GgufValueType.Array)
        {
            throw from.Wrong($"key '{key}' is an array of arrays, which no model needs");
        }

        var size = of == Text ? 8 : SizeOf(of, from, key);
        var count = from.Count(size, Limit, $"the array '{key}'");
        return of switch
        {
            Text => Many<string>(from, of, count, key),
            Bool => Many<bool>(from, of, count, key),
            F32 or 12 => Many<double>(from, of, count, key),
            _ => Many<long>(from, of, count, key),
        };
    }

    private static T[] Many<T>(GgufCursor from, uint type, int count, string key)
    {
        var values = new T[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = (T)ReadOne(from, type, key);
        }

        return values;
    }

    private static object ReadOne(GgufCursor from, uint type, string key)
    {
        if (type == Text)
        {
            return from.Text(Limit, $"key '{key}'");
        }

        var bytes = from.Take(SizeOf(type, from, key));
        return type switch
        {
            0 => (long)bytes[0],
            1 => (long)(sbyte)bytes[0],
            2 => (long)BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            3 => (long)BinaryPrimitives.ReadInt16LittleEndian(bytes),
            U32 => (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            I32 => (long)BinaryPrimitives.ReadInt32LittleEndian(bytes),
            F32 => Decimal(BinaryPrimitives.ReadSingleLittleEndian(bytes)),
            Bool => bytes[0] != 0,
            12 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            _ => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        };
    }

    /// <summary>
    /// The shortest decimal that rounds to this float: 1e-5 written as a float is 1e-5 again, not 9.99999974738e-6.
    /// </summary>
    private static double Decimal(float value) => double.Parse(
        value.ToString("R", System.Globalization.CultureInfo.InvariantCulture),
        System.Globalization.CultureInfo.InvariantCulture);

    private static int SizeOf(uint type, GgufCursor from, string key) => type switch
    {
        0 or 1 or Bool => 1,
        2 or 3 => 2,
        U32 or I32 or F32 => 4,
        10 or 11 or 12 => 8,
        _ => throw from.Wrong($"key '{key}' has value type {type}, expected 0 … 12. Download the file again"),
    };
}
