using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>Elements that stand alone, each of one type.</summary>
internal sealed class ElementFormat : WeightFormat
{
    private static readonly ElementFormat[] All =
        [.. Enum.GetValues<DType>().Where(type => type != DType.Blocks).Select(type => new ElementFormat(type))];

    private ElementFormat(DType type) => Type = type;

    public override string Name => Type switch
    {
        DType.Float64 => "F64",
        DType.Float32 => "F32",
        DType.BFloat16 => "BF16",
        DType.Float16 => "F16",
        _ => Type.ToString(),
    };

    public override DType Type { get; }

    public override int BlockSize => 1;

    public override int BlockBytes => Type.Size();

    public static new ElementFormat Of(DType type) => type != DType.Blocks
        ? All[(int)type]
        : throw new ArgumentException("Blocks have a format of their own.");

    /// <exception cref="ArgumentException">Weights are not stored in this type.</exception>
    public override unsafe void Decode(ReadOnlySpan<byte> row, int first, Span<float> values)
    {
        fixed (byte* stored = row[(first * Type.Size())..])
        fixed (float* floats = values)
        {
            var (i, count) = (0, values.Length);
            switch (Type)
            {
                case DType.Float32:
                    MemoryMarshal.Cast<byte, float>(row).Slice(first, count).CopyTo(values);
                    break;
                case DType.BFloat16:
                    for (; i <= count - Lanes256.Count; i += Lanes256.Count)
                    {
                        Lanes256.Store(floats + i, Lanes256.LoadBFloat16((ushort*)stored + i));
                    }

                    for (; i < count; i++)
                    {
                        floats[i] = DTypes.WidenBFloat16(((ushort*)stored)[i]);
                    }

                    break;
                case DType.Float16:
                    for (; i <= count - Lanes256.Count; i += Lanes256.Count)
                    {
                        Lanes256.Store(floats + i, Lanes256.LoadFloat16((ushort*)stored + i));
                    }

                    for (; i < count; i++)
                    {
                        floats[i] = (float)((Half*)stored)[i];
                    }

                    break;
                default:
                    throw new ArgumentException($"Weights are stored in F32, BF16, F16 or blocks, not in {Name}.");
            }
        }
    }
}
