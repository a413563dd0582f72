using System.Text.Json;
using SafeLlama.Data;

namespace SafeLlama.Serving;

/// <summary>A request to go on with texts, or to score them.</summary>
/// <param name="Model">Who answers.</param>
/// <param name="Sequences">One for each prompt and answer wanted, those of a prompt together.</param>
internal sealed record CompletionRequest(ServedModel Model, IReadOnlyList<SequenceRequest> Sequences)
{
    /// <summary>As OpenAI's interface has it.</summary>
    private const int DefaultTokens = 16;

    private const int MostTop = 20;

    public bool Streams { get; private init; }

    public bool TellsUsage { get; private init; }

    /// <summary>Whether the prompt stands before each answer.</summary>
    public bool Echoes { get; private init; }

    public static CompletionRequest Read(ServingEngine engine, RequestFields fields, double temperature)
    {
        var model = PromptLimits.Model(engine, fields);
        var prompts = Prompts(engine.Session.Tokenizer, fields.Require("prompt"));
        var (streams, tellsUsage) = SamplingFields.Streaming(fields);
        var decoding = SamplingFields.Decoding(fields, temperature);
        var asked = fields.Integer("max_tokens", 0, int.MaxValue) ?? DefaultTokens;
        var (top, echoes) = (fields.Integer("logprobs", 0, MostTop), fields.Flag("echo"));
        var (count, stops) = (SamplingFields.Choices(fields), SamplingFields.Stops(fields));
        fields.AcceptOnly("best_of", v => RequestFields.IsNumber(v, count), "the value of 'n'");
        fields.AcceptOnly("suffix", v => v.ValueKind == JsonValueKind.String && v.ValueEquals(""), "\"\"");
        fields.RefuseOthers();
        if (asked == 0 && !echoes)
        {
            throw new ApiException(400, "'max_tokens' 0 needs 'echo' true: there would be no answer.", "max_tokens");
        }

        PromptLimits.CheckCount(engine, prompts.Count, count);
        var sequences = new List<SequenceRequest>();
        foreach (var prompt in prompts)
        {
            PromptLimits.Check(engine, prompt, asked, "max_tokens");
            sequences.AddRange(Enumerable.Range(0, count).Select(i => new SequenceRequest(
                model, prompt, decoding, asked)
            {
                Stop = stops,
                Stream = i,
                Top = top,
                ScoresPrompt = echoes && top is not null,
            }));
        }

        return new(model, sequences) { Streams = streams, TellsUsage = tellsUsage, Echoes = echoes };
    }

    /// <summary>
    /// A text, texts, ids, or lists of ids. Ids are taken as they are; a text gets BOS, where the model has one.
    /// </summary>
    private static List<int[]> Prompts(ITokenizer tokenizer, JsonElement prompt)
    {
        if (prompt.ValueKind == JsonValueKind.String)
        {
            return [PromptLimits.WithBegin(tokenizer, RequestFields.TextOf(prompt, "prompt"))];
        }

        if (prompt.ValueKind != JsonValueKind.Array || prompt.GetArrayLength() == 0)
        {
            throw RequestFields.Wrong(prompt, "prompt", "a text, texts, token ids, or lists of token ids, not empty");
        }

        return prompt[0].ValueKind == JsonValueKind.Number
            ? [Ids(prompt)]
            : [.. prompt.EnumerateArray().Select(p => p.ValueKind == JsonValueKind.String
                ? PromptLimits.WithBegin(tokenizer, RequestFields.TextOf(p, "prompt")) : Ids(p))];
    }

    public static int[] Ids(JsonElement list) => list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var number)
            ? number : throw RequestFields.Wrong(id, "prompt", "a token id"))]
        : throw RequestFields.Wrong(list, "prompt", "token ids");
}
