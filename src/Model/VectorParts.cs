using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Parts of a vector. Each is created once, since steps ask for the same parts again.</summary>
internal sealed class VectorParts(Tensor vector)
{
    private readonly Dictionary<int, Tensor> _parts = [];

    public Tensor At(int first, int count)
    {
        if (!_parts.TryGetValue(first, out var part) || part.Columns != count)
        {
            _parts[first] = part = vector.SliceVector(first, count);
        }

        return part;
    }
}
