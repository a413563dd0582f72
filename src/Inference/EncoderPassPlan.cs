using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>How many tokens an encoder reads at once, and the memory for them.</summary>
/// <param name="Rows">Tokens of a pass.</param>
/// <param name="Memory">The memory of such passes.</param>
/// <param name="Notes">Remarks for the user.</param>
public sealed record EncoderPassPlan(int Rows, MemoryPlan Memory, IReadOnlyList<string> Notes)
{
    /// <summary>The largest passes that fit. They decide the speed and not the scores.</summary>
    /// <param name="choices">Tokens of a pass, from many to few.</param>
    /// <param name="plan">The memory of passes of so many tokens.</param>
    /// <param name="available">In bytes.</param>
    /// <exception cref="SafeLlamaException">Not even the smallest passes fit.</exception>
    public static EncoderPassPlan Largest(IReadOnlyList<int> choices, Func<int, MemoryPlan> plan, long available)
    {
        foreach (var rows in choices)
        {
            var memory = plan(rows);
            if (memory.Total <= available)
            {
                return new(rows, memory, rows == choices[0] ? [] :
                [
                    $"The judge reads {rows} tokens at once instead of {choices[0]}, since "
                    + $"{MemoryPlan.Size(available)} can be used: slower, with the same scores.",
                ]);
            }
        }

        plan(choices[^1]).RequireFit(available, "The judge");
        throw new InvalidOperationException("A plan that does not fit was not refused.");
    }
}
