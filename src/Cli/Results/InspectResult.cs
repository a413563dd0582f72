using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Results;

/// <summary>What <c>inspect --json</c> prints.</summary>
/// <param name="Model">The model's identity.</param>
internal sealed record InspectResult(string Model)
{
    /// <summary>The direction by layer; absent where no prompts were given.</summary>
    public Found? Direction { get; init; }

    /// <summary>Refusals while the stream is changed; absent where none were counted.</summary>
    public Counted? Refusals { get; init; }

    /// <summary>The logit lens, by layer; absent without one.</summary>
    public IReadOnlyList<Guess>? Lens { get; init; }

    /// <summary>The refusal direction.</summary>
    /// <param name="Position">The token of a prompt, counted from its end.</param>
    /// <param name="Harmful">Prompts of the first mean.</param>
    /// <param name="Harmless">Prompts of the second.</param>
    /// <param name="Layers">Before every block, and after the last.</param>
    internal sealed record Found(int Position, int Harmful, int Harmless, IReadOnlyList<Layer> Layers);

    /// <summary>The direction before one block.</summary>
    /// <param name="Number">The block; the number of blocks for the stream after the last one.</param>
    /// <param name="Norm">Length of the difference of means.</param>
    /// <param name="StreamNorm">Mean length of the stream.</param>
    /// <param name="Separation">Share of held-out pairs that the direction ranks right; 0.5 is chance.</param>
    /// <param name="Cosines">With each other direction, by its name; null where one has no length.</param>
    internal sealed record Layer(
        int Number, double Norm, double StreamNorm, double? Separation, IReadOnlyDictionary<string, double?> Cosines);

    /// <summary>Refusals of both sets.</summary>
    /// <param name="Judge">Whose rules say what a refusal is.</param>
    /// <param name="Harmful">The model as it is, asked the harmful prompts.</param>
    /// <param name="Harmless">The model as it is, asked the harmless ones.</param>
    /// <param name="Changed">The model with its stream changed.</param>
    internal sealed record Counted(
        string Judge, RefusalCount Harmful, RefusalCount Harmless, IReadOnlyList<Change> Changed);

    /// <summary>Refusals under one change of the stream.</summary>
    /// <param name="Kind"><c>ablated</c> or <c>added</c>.</param>
    /// <param name="Layer">Where the direction is from, and where it is added.</param>
    /// <param name="Scale">How often it is added; absent where it is ablated.</param>
    /// <param name="Harmful">Of the harmful prompts.</param>
    /// <param name="Harmless">Of the harmless prompts.</param>
    internal sealed record Change(string Kind, int Layer, double? Scale, RefusalCount Harmful, RefusalCount Harmless);

    /// <summary>What the head would predict from the stream at one layer.</summary>
    /// <param name="Layer">The block before which the stream is read.</param>
    /// <param name="Tokens">The likeliest five.</param>
    internal sealed record Guess(int Layer, IReadOnlyList<GuessedToken> Tokens);

    /// <summary>A token and its probability.</summary>
    internal sealed record GuessedToken(int Id, string Text, double Probability);
}
