using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>A part of the keys that one row of queries sees.</summary>
internal readonly record struct KeyPart(int First, int Count)
{
    public static KeyPart Of(int part, int first, int last)
    {
        var size = Size(first, last);
        return new(first + (part * size), XMath.Max(0, XMath.Min(size, last - first + 1 - (part * size))));
    }

    /// <summary>How many parts there are.</summary>
    public static int Parts(int first, int last)
    {
        var size = Size(first, last);
        return (last - first + size) / size;
    }

    private static int Size(int first, int last)
    {
        const int Most = SplitAttention.Parts * SplitAttention.LeastKeys;
        return (last - first + Most) / Most * SplitAttention.LeastKeys;
    }
}
