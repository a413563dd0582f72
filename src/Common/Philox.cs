using System.Runtime.CompilerServices;
using System.Text;

namespace SafeLlama.Common;

/// <summary>Counter-based random numbers: a value depends only on the key and the place.</summary>
/// <remarks>
/// Philox4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". No state is carried, so any thread
/// may ask for any place in any order, a mask need not be stored, and a resumed run sees the numbers an unbroken one
/// would have seen.
/// </remarks>
public readonly struct Philox
{
    private readonly uint _key0;
    private readonly uint _key1;

    private Philox(ulong key) => (_key0, _key1) = ((uint)key, (uint)(key >> 32));

    /// <summary>The stream of this name under this seed: <c>Philox.Stream(seed, "lora.init", layer)</c>.</summary>
    public static Philox Stream(long seed, string name, long index = 0)
    {
        var hash = Mix((ulong)seed);
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            hash = Mix(hash ^ b);
        }

        return new Philox(Mix(hash ^ (ulong)index));
    }

    /// <summary>A stream derived from this one, such as that of the next step.</summary>
    public Philox Fork(long index) => new(Mix(((ulong)_key1 << 32 | _key0) + Mix((ulong)index)));

    /// <summary>The key, for a kernel that computes the same numbers elsewhere.</summary>
    public (uint Low, uint High) Key => (_key0, _key1);

    /// <summary>Four random words for the block at <paramref name="counter"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (uint A, uint B, uint C, uint D) Block(ulong counter)
    {
        uint c0 = (uint)counter, c1 = (uint)(counter >> 32), c2 = 0, c3 = 0, k0 = _key0, k1 = _key1;
        for (var round = 0; round < 10; round++)
        {
            var p0 = (ulong)c0 * 0xD2511F53u;
            var p1 = (ulong)c2 * 0xCD9E8D57u;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>A random word for this place.</summary>
    public uint UInt32(long place)
    {
        var (a, b, c, d) = Block((ulong)place >> 2);
        return (place & 3) switch { 0 => a, 1 => b, 2 => c, _ => d };
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double Uniform(long place)
    {
        var (a, b, c, d) = Block((ulong)place >> 1);
        var word = (place & 1) == 0 ? (ulong)a << 32 | b : (ulong)c << 32 | d;
        return (word >> 11) * (1.0 / (1ul << 53));
    }

    /// <summary>Standard normal, by Box and Muller's transform.</summary>
    public double Normal(long place)
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - Uniform(2 * place)));
        return radius * Math.Cos(2 * Math.PI * Uniform(2 * place + 1));
    }

    /// <summary>A whole number in [0, <paramref name="bound"/>).</summary>
    public int Below(long place, int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)(Uniform(place) * bound);
    }

    /// <summary>The whole numbers 0 … <paramref name="count"/> − 1 in random order (Fisher and Yates).</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            order[i] = i;
        }

        for (var i = count - 1; i > 0; i--)
        {
            var j = Below(i, i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    /// <summary>The finalizer of SplitMix64 (Steele et al. 2014): a bijection that scatters every bit.</summary>
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15ul;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ul;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBul;
        return x ^ (x >> 31);
    }
}
