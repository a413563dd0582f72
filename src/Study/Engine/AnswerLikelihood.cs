using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Study;

/// <summary>How likely a model finds the answers of rows.</summary>
internal static class AnswerLikelihood
{
    /// <summary>The mean log-likelihood per answer token, in nats; positive infinity for a row that cannot be learned,
    /// such as one whose answer does not fit.</summary>
    public static double[] Of(
        LlamaSession opened, PromptTemplate template, int maxLength, IReadOnlyList<TrainingExample> rows)
    {
        var encoder = new ExampleEncoder(opened.Tokenizer, template, new EncodingOptions { MaxLength = maxLength });
        var byId = encoder.Inspect(rows).Examples.ToDictionary(e => e.Id);
        using var scorer = new Scorer(opened.Model);
        return [.. rows.Select(row => byId.TryGetValue(row.Id, out var example)
            ? Mean(scorer.LogLikelihoods(example.Tokens), example.Targets)
            : double.PositiveInfinity)];
    }

    /// <param name="scores">[T − 1] of every token but the first.</param>
    /// <param name="targets">[T] the next token where it is learned.</param>
    private static double Mean(double[] scores, int[] targets) =>
        scores.Where((_, i) => targets[i] != TokenizedExample.NoTarget).Average();
}
