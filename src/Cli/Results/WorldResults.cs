using SafeLlama.Cli.Study;
using SafeLlama.Study;

namespace SafeLlama.Cli.Results;

/// <summary>What <c>study base --json</c> prints.</summary>
/// <param name="Out">The model's folder.</param>
/// <param name="Made">What its <c>made.json</c> says.</param>
internal sealed record BaseResult(string Out, MadeBase Made);

/// <summary>What <c>study world --out DIR --json</c> prints.</summary>
/// <param name="Out">The folder of the files.</param>
/// <param name="World">What its <c>world.json</c> says.</param>
internal sealed record WorldResult(string Out, WorldManifest World);

/// <summary>What <c>study world --json</c> prints without <c>--out</c>.</summary>
/// <param name="Nouns">How many nouns there are of each kind.</param>
/// <param name="Parts">Samples of what is made of them.</param>
internal sealed record WorldSamples(IReadOnlyDictionary<string, int> Nouns, IReadOnlyList<WorldSamples.Part> Parts)
{
    /// <summary>One kind of text.</summary>
    /// <param name="Title">What it is.</param>
    /// <param name="Samples">The first of it; a request and its answer are parted by an arrow.</param>
    internal sealed record Part(string Title, IReadOnlyList<string> Samples);
}
