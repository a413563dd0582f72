using SafeLlama.Data;

namespace SafeLlama.Inference;

/// <summary>The ids that end an answer.</summary>
internal static class EndTokens
{
    /// <summary>The tokenizer's end, the token the template closes a turn with, and those the model names.</summary>
    public static IReadOnlyList<int> Of(ITokenizer tokenizer, PromptTemplate template, IEnumerable<int> model)
    {
        int?[] ids = [tokenizer.EosId, template.EndOfTurn is { } end ? tokenizer.ControlId(end) : null];
        return [.. ids.OfType<int>().Concat(model).Distinct()];
    }
}
