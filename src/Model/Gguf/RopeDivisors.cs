using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>What each rotary frequency is divided by, as the tensor <c>rope_freqs.weight</c> holds it.</summary>
internal static class RopeDivisors
{
    /// <summary>The divisors of a rotary embedding; null where all frequencies are plain or linear.</summary>
    public static double[]? Of(RopeConfig rope, int headDim)
    {
        if (rope.Divisors is { } given)
        {
            return [.. given];
        }

        if (rope.Type != RopeType.Llama3)
        {
            return null;
        }

        var plain = (rope with { Type = RopeType.Default }).Frequencies(headDim);
        return [.. plain.Zip(rope.Frequencies(headDim), (before, after) => before / after)];
    }

    public static double[] Read(GgufHeader file, GgufTensor tensor)
    {
        if (tensor.Type != GgufType.F32 || tensor.Dimensions.Count != 1)
        {
            throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{tensor.Name}' is {tensor.Type} {tensor.Shape}, expected F32 of one dimension.");
        }

        using var mapped = GgufFile.Open(file);
        var values = new float[tensor.Dimensions[0]];
        GgufBlocks.Decode(GgufType.F32, mapped.Bytes(tensor, 0, tensor.ByteCount), values);
        return values.FirstOrDefault(v => !(v > 0) || !float.IsFinite(v), 1) == 1
            ? Array.ConvertAll(values, v => (double)v)
            : throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{tensor.Name}' holds a divisor that is not positive.");
    }
}
