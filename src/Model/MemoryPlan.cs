using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>One part of the memory a run needs.</summary>
/// <param name="Name">What it holds.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Cuts">Ways to make it smaller; each one is enough.</param>
public sealed record MemoryTerm(string Name, long Bytes, params IReadOnlyList<string> Cuts);

/// <summary>The memory that a run needs, term by term, before any is allocated.</summary>
public sealed record MemoryPlan(IReadOnlyList<MemoryTerm> Terms)
{
    /// <summary>The runtime, its code and the rows in memory, in bytes: measured on small runs, rounded up.</summary>
    public const long ProgramBytes = 128L << 20;

    public long Total => Terms.Sum(t => t.Bytes);

    /// <param name="available">In bytes.</param>
    /// <param name="what">What the message calls the work.</param>
    /// <exception cref="SafeLlamaException">More is needed than <paramref name="available"/> bytes.</exception>
    public void RequireFit(long available, string what = "The run")
    {
        if (Total > available)
        {
            var largest = Terms.MaxBy(t => t.Bytes)!;
            throw SafeLlamaException.DoesNotFit(
                $"{what} needs {Size(Total)}, {Size(available)} can be used. "
                + $"The largest part is {Size(largest.Bytes)} for {largest.Name}.",
                [.. largest.Cuts, "name another limit with `Memory`"]);
        }
    }

    public static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.00} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB");
}
