using System.Text.Json;
using SafeLlama.Data;

namespace SafeLlama.Cli.Results;

/// <summary>What <c>data check --json</c> prints.</summary>
/// <param name="Files">File by file.</param>
/// <param name="RepeatedAcrossFiles">Questions that a file repeats from another.</param>
/// <param name="Against">Evaluation prompts that rows may ask.</param>
internal sealed record CheckResult(
    IReadOnlyList<CheckResult.CheckedFile> Files, int RepeatedAcrossFiles, IReadOnlyList<CheckResult.Suite> Against)
{
    /// <summary>The findings about one file.</summary>
    internal sealed record CheckedFile
    {
        public CheckedFile(DataCheck check)
        {
            var file = check.File;
            (Path, Format, Sha256, Rows, Good) =
                (file.Path, file.Format, file.Sha256, file.RowCount, file.Examples.Count);
            Faults = [.. file.Faults.Select(fault => new Fault(
                fault.Source.Line, fault.Source.Row, fault.Field, fault.Reason))];
            (Notes, IgnoredFields) = (file.Notes, file.IgnoredFields);
            Forms = check.Forms.ToDictionary(
                form => JsonNamingPolicy.SnakeCaseLower.ConvertName(form.Key.ToString()), form => form.Value);
            (Refusals, RefusalShare, RefusalsByOpening) =
                (check.Refusals, check.RefusalShare, check.RefusalsByOpening);
            (Duplicates, EmptyAnswers) = (check.Duplicates, check.EmptyAnswers);
            (NonAscii, MultiLineAnswers) = (check.NonAscii, check.MultiLineAnswers);
            (QuestionCharacters, AnswerCharacters) = (check.QuestionCharacters, check.AnswerCharacters);
            (Tokens, Encoding) = (check.Tokens, check.Encoding);
        }

        /// <summary>The file.</summary>
        public string Path { get; }

        /// <summary>Its format.</summary>
        public RowFormat Format { get; }

        /// <summary>Its hash.</summary>
        public string Sha256 { get; }

        /// <summary>Rows there are.</summary>
        public int Rows { get; }

        /// <summary>Rows without a fault.</summary>
        public int Good { get; }

        /// <summary>Rows that cannot be read.</summary>
        public IReadOnlyList<Fault> Faults { get; }

        /// <summary>Remarks from reading the file.</summary>
        public IReadOnlyList<string> Notes { get; }

        /// <summary>Fields that are not used, with their number of rows.</summary>
        public IReadOnlyDictionary<string, int> IgnoredFields { get; }

        /// <summary>Rows by the form of what they ask.</summary>
        public IReadOnlyDictionary<string, int> Forms { get; }

        /// <summary>Answers that open with a refusal.</summary>
        public int Refusals { get; }

        /// <summary>Their share of all answers.</summary>
        public double RefusalShare { get; }

        /// <summary>Refusals by their opening words.</summary>
        public IReadOnlyDictionary<string, int> RefusalsByOpening { get; }

        /// <summary>Rows that ask what an earlier row asks.</summary>
        public IReadOnlyList<Duplicate> Duplicates { get; }

        /// <summary>Ids of rows without an answer.</summary>
        public IReadOnlyList<string> EmptyAnswers { get; }

        /// <summary>Rows with characters beyond ASCII.</summary>
        public int NonAscii { get; }

        /// <summary>Answers of several lines.</summary>
        public int MultiLineAnswers { get; }

        /// <summary>Length of what is asked, in UTF-16 units.</summary>
        public LengthSummary QuestionCharacters { get; }

        /// <summary>Length of answers, in UTF-16 units.</summary>
        public LengthSummary AnswerCharacters { get; }

        /// <summary>Tokens of a row; absent without a tokenizer.</summary>
        public LengthSummary? Tokens { get; }

        /// <summary>What the most tokens of a row would do; absent without a tokenizer.</summary>
        public EncodingReport? Encoding { get; }
    }

    /// <summary>A row that cannot be read.</summary>
    /// <param name="Line">Its line, from 1.</param>
    /// <param name="Row">Its place in the file, from 1, where its line holds several rows.</param>
    /// <param name="Field">The field that is wrong; absent where the whole row is.</param>
    /// <param name="Reason">Why.</param>
    internal sealed record Fault(long Line, int? Row, string? Field, string Reason);

    /// <summary>Rows held against one file of evaluation prompts.</summary>
    /// <param name="Name">The file.</param>
    /// <param name="Rows">Rows looked at.</param>
    /// <param name="Prompts">Evaluation prompts.</param>
    /// <param name="Threshold">The share of words in common that makes a row a copy.</param>
    /// <param name="Clean">Whether no row asks what a prompt asks.</param>
    /// <param name="Hits">Rows that do.</param>
    internal sealed record Suite(
        [property: System.Text.Json.Serialization.JsonPropertyName("suite")] string Name, int Rows, int Prompts,
        double Threshold, bool Clean, IReadOnlyList<Hit> Hits);

    /// <summary>A row that asks what an evaluation prompt asks.</summary>
    /// <param name="RowId">The row's id.</param>
    /// <param name="Row">File and line of the row.</param>
    /// <param name="PromptId">The prompt's id.</param>
    /// <param name="Prompt">File and line of the prompt.</param>
    /// <param name="Jaccard">The share of words in common.</param>
    /// <param name="Exact">Whether they are the same.</param>
    internal sealed record Hit(string RowId, string Row, string PromptId, string Prompt, double Jaccard, bool Exact);
}
