using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Rows of quantized blocks as GGUF stores them, decoded where they are read.</summary>
internal sealed class GgufBlockFormat : WeightFormat
{
    private static readonly Dictionary<GgufType, GgufBlockFormat> All = Enum.GetValues<GgufType>()
        .Where(type => type.BlockValues() > 1).ToDictionary(type => type, type => new GgufBlockFormat(type));

    private readonly GgufType _type;

    private GgufBlockFormat(GgufType type) => _type = type;

    public override string Name => _type.ToString();

    public override int BlockSize => _type.BlockValues();

    public override int BlockBytes => _type.BlockBytes();

    public override BlockCode Code => _type switch
    {
        GgufType.Q8_0 => BlockCode.Q8,
        GgufType.Q4_0 => BlockCode.Q4,
        GgufType.Q4_K => BlockCode.Q4K,
        GgufType.Q6_K => BlockCode.Q6K,
        _ => BlockCode.Other,
    };

    /// <summary>The one format of a block type.</summary>
    public static GgufBlockFormat Of(GgufType type) => All[type];

    public override void Decode(ReadOnlySpan<byte> row, int first, Span<float> values)
    {
        Span<float> block = stackalloc float[256];
        block = block[..BlockSize];
        while (values.Length > 0)
        {
            var skip = first % BlockSize;
            var stored = row[(first / BlockSize * BlockBytes)..];
            int count;
            if (skip == 0 && values.Length >= BlockSize)
            {
                count = values.Length / BlockSize * BlockSize;
                GgufBlocks.Decode(_type, stored, values[..count]);
            }
            else
            {
                count = Math.Min(values.Length, BlockSize - skip);
                GgufBlocks.Decode(_type, stored, block);
                block.Slice(skip, count).CopyTo(values);
            }

            first += count;
            values = values[count..];
        }
    }
}
