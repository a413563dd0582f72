using System.Globalization;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>One row of a file of answers, before its prompt is known.</summary>
/// <param name="Row">The row.</param>
/// <param name="Suite">The suite it names; null where it names none.</param>
/// <param name="Id">The id it names; null where it names none.</param>
/// <param name="Text">The prompt as the row has it.</param>
/// <param name="Answer">Untrusted text.</param>
/// <param name="Sample">The number of the answer to its prompt; null where the row gives none.</param>
internal sealed record ImportedRow(
    SuiteRow Row, string? Suite, string? Id, string Text, string Answer, int? Sample)
{
    private static readonly string[] PromptFields = ["prompt", "instruction", "question"];
    private static readonly string[] AnswerFields = ["response", "completion", "output", "answer"];

    public RowSource Place => Row.Place;

    /// <summary>
    /// Whether the row comes from our own <c>responses.jsonl</c>, which records how its answer was made.
    /// </summary>
    public bool IsOwn => OwnColumns.All(Row.Raw.Fields.ContainsKey);

    private static readonly string[] OwnColumns =
        ["suite", "id", "sample", "prompt", "prompt_tokens", "answer", "answer_tokens", "stop_reason", "settings"];

    /// <exception cref="SafeLlamaException">
    /// It lacks a prompt or an answer, has two answers, or its sample is not a number.
    /// </exception>
    public static ImportedRow Of(SuiteRow row)
    {
        var isXsTest = XsTestFormat.Completions.Columns.All(row.Raw.Fields.ContainsKey);
        var id = row.Optional("id");
        return new(
            row,
            row.Optional("suite") ?? (isXsTest ? "xstest" : null),
            isXsTest && id is not null ? XsTestFormat.IdOf(id) : id,
            row.Text(Field(row, PromptFields, "prompt")),
            AnswerOf(row),
            SampleOf(row));
    }

    /// <summary>The prompt that the row itself gives; rows of XSTest's own files keep their types and labels.</summary>
    /// <param name="id">The id to use.</param>
    public SuitePrompt OwnPrompt(string id)
    {
        if (XsTestFormat.Completions.Columns.All(Row.Raw.Fields.ContainsKey))
        {
            return XsTestFormat.Completions.Read(Row) with { Suite = "xstest" };
        }

        var prompt = Row.Prompt(id, Text);
        return prompt with
        {
            Suite = Suite ?? prompt.Suite,
            Label = Row.Named<PromptLabel>("prompt_label") ?? prompt.Label,
            Category = Row.Optional("category"),
        };
    }

    /// <summary>The answer to a prompt; a row of our own keeps all its fields.</summary>
    /// <exception cref="SafeLlamaException">The row is one of our own and was changed.</exception>
    public Response ToResponse(SuitePrompt prompt, int sample)
    {
        if (!IsOwn)
        {
            return new(prompt.Suite, prompt.Id, sample, Text, [], Answer, 0, "unknown")
            {
                Settings = DecodingConfig.Elsewhere,
            };
        }

        try
        {
            var kept = JsonSerializer.SerializeToElement(Row.Raw.Fields).Deserialize<Response>(EvaluationJson.Line)!;
            return kept with { Suite = prompt.Suite, Id = prompt.Id, Sample = sample };
        }
        catch (JsonException e)
        {
            throw SafeLlamaException.InvalidData(
                $"{Place}: is not an answer as a run keeps it: {JsonRecord.Reason(e)}", e);
        }
    }

    private static string Field(SuiteRow row, string[] names, string what) =>
        names.FirstOrDefault(row.Raw.Fields.ContainsKey) ?? throw SafeLlamaException.InvalidData(
            $"{row.Place}: has no {what}; expected one of the fields {string.Join(", ", names)}.");

    /// <summary>Of two fields that may be the answer, with different texts, none is taken.</summary>
    private static string AnswerOf(SuiteRow row)
    {
        var field = Field(row, AnswerFields, "answer");
        var answer = row.Optional(field) ?? "";
        var other = AnswerFields.Where(row.Raw.Fields.ContainsKey)
            .FirstOrDefault(name => name != field && (row.Optional(name) ?? "") != answer);
        return other is null ? answer : throw SafeLlamaException.InvalidData(
            $"{row.Place}: \"{field}\" and \"{other}\" hold different texts, and either may be the answer. Keep one "
            + $"of the fields {string.Join(", ", AnswerFields)}, and give the other another name.");
    }

    private static int? SampleOf(SuiteRow row) => row.Optional("sample") is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var sample) ? sample
        : throw SafeLlamaException.InvalidData(
            $"{row.Place}: \"sample\" is \"{text}\", expected a whole number from 0 on.");
}
