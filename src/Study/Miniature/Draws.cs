using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>Random choices, taken in order from a named Philox stream.</summary>
/// <remarks>Each document, example and suite has a stream of its own, so none depends on how many came before
/// it.</remarks>
public sealed class Draws(Philox stream)
{
    private long _place;

    public static Draws From(long seed, string name, long index = 0) => new(Philox.Stream(seed, name, index));

    /// <summary>Uniform in [0, 1).</summary>
    public double Uniform() => stream.Uniform(_place++);

    /// <summary>True with this probability.</summary>
    public bool Chance(double probability) => Uniform() < probability;

    /// <summary>A whole number in [0, <paramref name="bound"/>).</summary>
    public int Below(int bound) => stream.Below(_place++, bound);

    /// <summary>A whole number in [<paramref name="from"/>, <paramref name="to"/>], both included.</summary>
    public int Between(int from, int to) => from + Below(to - from + 1);

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary><paramref name="count"/> different items, in random order.</summary>
    public List<T> Sample<T>(IReadOnlyList<T> items, int count)
    {
        var left = items.ToList();
        var taken = new List<T>(count);
        while (taken.Count < count)
        {
            var at = Below(left.Count);
            taken.Add(left[at]);
            left.RemoveAt(at);
        }

        return taken;
    }

    /// <summary>All items, in random order.</summary>
    public List<T> Shuffle<T>(IReadOnlyList<T> items) => Sample(items, items.Count);
}
