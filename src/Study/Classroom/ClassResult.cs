namespace SafeLlama.Study;

/// <summary>What one student's laptop measured: the content of a file of at most 1 KB.</summary>
/// <param name="Kind">Always <c>safellama-class-result</c>.</param>
/// <param name="Version">Of the file's form: 1.</param>
/// <param name="Program">The version of the program that trained.</param>
/// <param name="Recipe">SHA-256 of the class's recipe, its rows and its prompts.</param>
/// <param name="Base">SHA-256 of what the base model is made of.</param>
/// <param name="Seed">The student's seed, from 1 to 1,000,000.</param>
/// <param name="Counts">By arm, then by metric.</param>
public sealed record ClassResult(
    string Kind, int Version, string Program, string Recipe, string Base, long Seed,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, ClassCount>> Counts)
{
    public const string FileKind = "safellama-class-result";

    public const int FileVersion = 1;

    /// <summary>The most bytes of a file.</summary>
    public const int MostBytes = 1024;

    public const long MostSeed = 1_000_000;
}

/// <summary>Answers to a metric's prompts: counts, from which rates follow.</summary>
/// <param name="Yes">Answers that the metric counts: those that comply, refuse or are right.</param>
/// <param name="Invalid">Answers that neither comply nor refuse; no rate counts them.</param>
public sealed record ClassCount(int Yes, int Invalid);
