using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary><c>world.json</c>: what an exported world was made with, and what lies beside it.</summary>
/// <param name="Seed">Draws pretraining text, tuning rows and evaluation prompts.</param>
/// <param name="Dials">What may be turned in the world.</param>
/// <param name="Nouns">Nouns of its lexicon.</param>
/// <param name="PretrainingWords">Words and punctuation marks of the pretraining text.</param>
/// <param name="Files">By path below the folder.</param>
public sealed record WorldManifest(
    long Seed, WorldDials Dials, int Nouns, int PretrainingWords, IReadOnlyDictionary<string, WorldManifest.File> Files)
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "world.json";

    /// <summary>The manifest of an exported world.</summary>
    /// <exception cref="SafeLlamaException">There is none, or it is damaged.</exception>
    public static WorldManifest Of(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return JsonRecord.Parse<WorldManifest>(
            FileErrors.Reading(path, () => System.IO.File.ReadAllBytes(path)), path, "is no manifest of a world");
    }

    /// <summary>One file.</summary>
    /// <param name="Count">Texts or rows of it.</param>
    /// <param name="Sha256">Its hash.</param>
    public sealed record File(int Count, string Sha256);
}

/// <summary>A line of <c>tuning/*.jsonl</c>: an Alpaca row.</summary>
/// <param name="Id">The row's id.</param>
/// <param name="Instruction">What is asked.</param>
/// <param name="Input">The dialogue so far; empty where there is none.</param>
/// <param name="Output">The answer.</param>
/// <param name="Format"><c>instruction</c> or <c>question</c>.</param>
/// <param name="Category">The kind of row.</param>
public sealed record WorldTuningRow(
    string Id, string Instruction, string Input, string Output, string Format, string Category);

/// <summary>A line of <c>suites/*/*.jsonl</c>: a prompt to evaluate with.</summary>
/// <param name="Id">The prompt's id.</param>
/// <param name="Suite">Its suite.</param>
/// <param name="Prompt">What is asked.</param>
/// <param name="Category">The kind of prompt.</param>
/// <param name="Format"><c>instruction</c> or <c>question</c>.</param>
/// <param name="Label"><c>unsafe</c>, <c>safe</c> or <c>benign</c>.</param>
/// <param name="Origin">Prompts of one origin vary together.</param>
public sealed record WorldPromptRow(
    string Id, string Suite, string Prompt, string Category, string Format, string Label, string Origin)
{
    /// <summary>The dialogue so far; absent where there is none.</summary>
    public string? Input { get; init; }

    /// <summary>The right answer; absent where a refusal is wanted.</summary>
    public string? Expected { get; init; }

    /// <summary>Suite and id of the prompt that differs in one word; absent where there is none.</summary>
    public string? Twin { get; init; }
}
