using SafeLlama.Study;

namespace SafeLlama.Cli.Study;

/// <summary><c>made.json</c> of <c>study base</c>: everything needed to reproduce the model and to verify it.</summary>
internal sealed record MadeBase
{
    public const string FileName = "made.json";

    /// <summary>The command that reproduces it.</summary>
    public required string Command { get; init; }

    /// <summary>The vector instructions that it was computed with; others sum in another order.</summary>
    public required string InstructionSet { get; init; }

    /// <summary>Draws text, tokenizer rows, first weights and order.</summary>
    public required long Seed { get; init; }

    /// <summary>The world's dials.</summary>
    public required WorldDials Dials { get; init; }

    /// <summary>The text that it was trained on.</summary>
    public required Reading Text { get; init; }

    /// <summary>Settings of its training, by name.</summary>
    public required IReadOnlyDictionary<string, string> Training { get; init; }

    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Loss on held-out text at the end.</summary>
    public required double ValidationLoss { get; init; }

    /// <summary>The loss that it was trained until; null where it took all the recipe's steps.</summary>
    public double? UntilLoss { get; init; }

    /// <summary>Whether that loss was reached; null where none was asked for.</summary>
    public bool? Reached { get; init; }

    /// <summary>SHA-256 of the files beside this one, by name.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }

    /// <summary>The pretraining text.</summary>
    /// <param name="Words">Words and punctuation marks.</param>
    /// <param name="TokensRead">Tokens that passed through the model in all steps.</param>
    /// <param name="Sha256">The text's hash.</param>
    internal sealed record Reading(int Words, long TokensRead, string Sha256);
}
