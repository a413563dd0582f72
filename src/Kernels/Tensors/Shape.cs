using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>The dimensions of a tensor, outermost first.</summary>
/// <remarks>The value itself holds them, so the checks of ops create shapes without allocation.</remarks>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>No checkpoint of a language model comes near.</summary>
    private const int MaxRank = 8;

    private readonly Values _dimensions;

    /// <exception cref="ArgumentException">A dimension is negative, or there are too many.</exception>
    public Shape(params ReadOnlySpan<int> dimensions)
    {
        if (dimensions.Length > MaxRank)
        {
            throw new ArgumentException($"A shape of {dimensions.Length} dimensions, expected at most {MaxRank}.");
        }

        foreach (var dimension in dimensions)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension, nameof(dimensions));
        }

        Rank = dimensions.Length;
        dimensions.CopyTo(_dimensions);
    }

    [UnscopedRef]
    public ReadOnlySpan<int> Dimensions => ((ReadOnlySpan<int>)_dimensions)[..Rank];

    public int Rank { get; }

    public int this[int index] => Dimensions[index];

    /// <summary>The number of elements; a product past 2⁶³ is an error, not a wrong number.</summary>
    public long Count
    {
        get
        {
            var count = 1L;
            foreach (var dimension in Dimensions)
            {
                count = checked(count * dimension);
            }

            return count;
        }
    }

    /// <summary>All but the last dimension taken together, and the last: [B, T, D] is read as [B·T, D].</summary>
    public (int Rows, int Columns) AsMatrix()
    {
        var columns = Rank == 0 ? 1 : Dimensions[^1];
        return (columns == 0 ? 0 : checked((int)(Count / columns)), columns);
    }

    public bool Equals(Shape other) => Dimensions.SequenceEqual(other.Dimensions);

    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var dimension in Dimensions)
        {
            hash.Add(dimension);
        }

        return hash.ToHashCode();
    }

    public override string ToString() => $"[{string.Join(", ", Dimensions.ToArray())}]";

    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    [InlineArray(MaxRank)]
    private struct Values
    {
        private int _first;
    }
}
