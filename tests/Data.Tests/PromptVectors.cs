using System.Text.Json.Nodes;

namespace SafeLlama.Data.Tests;

/// <summary>Compares <c>prompt_templates.json</c>, field by field, with what this room computes.</summary>
/// <remarks>
/// Every field is either an input that is used or a value that is compared; one that is neither is a difference.
/// </remarks>
internal sealed class PromptVectors(ITokenizer tokenizer)
{
    private const int PadId = 0;
    private const int Masked = -100;
    private readonly List<string> _differences = [];

    public static IReadOnlyList<string> Differences(JsonObject vectors, ITokenizer tokenizer)
    {
        var comparison = new PromptVectors(tokenizer);
        comparison.Compare(vectors);
        return comparison._differences;
    }

    private void Compare(JsonObject vectors)
    {
        Fields("", vectors, "format_version", "kind", "tokenizer", "computed_by", "notes", "templates", "prompts",
            "examples", "settings", "llama2_chat");
        Same("format_version", vectors["format_version"], 1);
        Same("kind", vectors["kind"], "prompt_templates");
        Same("tokenizer", vectors["tokenizer"], "tokenizer/sp/tokenizer.model");
        foreach (var (name, template) in vectors["templates"]!.AsObject())
        {
            CompareTemplate(name, template!.AsObject());
        }

        var examples = vectors["examples"]!.AsArray();
        var prompts = vectors["prompts"]!.AsArray();
        Same("prompts.length", prompts.Count, examples.Count);
        for (var i = 0; i < examples.Count; i++)
        {
            ComparePrompt($"prompts[{i}]", prompts[i]!.AsObject(), examples[i]!.AsObject());
        }

        foreach (var (i, setting) in vectors["settings"]!.AsArray().Index())
        {
            CompareSetting($"settings[{i}]", setting!.AsObject(), examples);
        }

        foreach (var (i, chat) in vectors["llama2_chat"]!.AsArray().Index())
        {
            CompareChat($"llama2_chat[{i}]", chat!.AsObject());
        }
    }

    private void CompareTemplate(string name, JsonObject expected)
    {
        Fields(name, expected, "description", "prompt_input", "prompt_no_input", "response_split");
        var template = (AlpacaTemplate)PromptTemplate.Load(name);
        Same($"{name}.description", expected["description"], template.Description);
        Same($"{name}.prompt_input", expected["prompt_input"], template.PromptInput);
        Same($"{name}.prompt_no_input", expected["prompt_no_input"], template.PromptNoInput);
        Same($"{name}.response_split", expected["response_split"], template.ResponseSplit);
    }

    private void ComparePrompt(string path, JsonObject expected, JsonObject example)
    {
        Fields(path, expected, "example", "full_prompt", "user_prompt", "response_extracted");
        Fields(path + ".example", example, "instruction", "input", "output");
        Same(path + ".example", expected["example"]!.ToJsonString(), example.ToJsonString());
        var row = Row(example);
        var full = Text(AlpacaTemplate.Standard.Render(row));
        var prompt = Text(AlpacaTemplate.Standard.RenderPrompt(row));
        Same(path + ".full_prompt", expected["full_prompt"], full);
        Same(path + ".user_prompt", expected["user_prompt"], prompt);
        Same(path + ".response_extracted", expected["response_extracted"], AlpacaTemplate.Standard.SplitResponse(full));
        Same(path + ".response_extracted by length", expected["response_extracted"],
            PromptTemplate.ExtractResponse(prompt, full));
    }

    private void CompareSetting(string path, JsonObject setting, JsonArray examples)
    {
        Fields(path, setting, "cutoff_len", "train_on_inputs", "add_eos_token", "rows", "collated_first4");
        var options = new EncodingOptions
        {
            MaxLength = setting["cutoff_len"]!.GetValue<int>(),
            TrainOnInputs = setting["train_on_inputs"]!.GetValue<bool>(),
            MaskRule = setting["add_eos_token"]!.GetValue<bool>()
                ? MaskRule.PromptLengthWithEnd
                : MaskRule.PromptLength,
        };
        var rows = setting["rows"]!.AsArray();
        Same($"{path}.rows.length", rows.Count, examples.Count);
        var encoded = examples.Select(example => Encode(example!.AsObject(), options)).ToList();
        for (var i = 0; i < rows.Count; i++)
        {
            var expected = rows[i]!.AsObject();
            Fields($"{path}.rows[{i}]", expected, "input_ids", "labels");
            Same($"{path}.rows[{i}].input_ids", Numbers(expected["input_ids"]), encoded[i].Tokens);
            Same($"{path}.rows[{i}].labels", Numbers(expected["labels"]), Labels(encoded[i]));

            // By position gives the same mask, except where alpaca-lora, counting an end token, unmasks a cut prompt.
            var byPosition = Encode(examples[i]!.AsObject(), options with { MaskRule = MaskRule.Position });
            var exact = options.MaskRule == MaskRule.PromptLength || encoded[i].Length < options.MaxLength;
            if (exact)
            {
                Same($"{path}.rows[{i}].labels by position", Numbers(expected["labels"]), Labels(byPosition));
            }
        }

        CompareCollated(path + ".collated_first4", setting["collated_first4"]!.AsObject(), encoded.Take(4).ToList());
    }

    /// <summary>transformers' DataCollatorForSeq2Seq: padded on the left, to a multiple of 8.</summary>
    private void CompareCollated(string path, JsonObject expected, List<TokenizedExample> rows)
    {
        Fields(path, expected, "input_ids", "attention_mask", "labels");
        var width = (rows.Max(row => row.Length) + 7) / 8 * 8;
        Same(path + ".rows", expected["input_ids"]!.AsArray().Count, rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var padding = width - rows[i].Length;
            Same($"{path}.input_ids[{i}]", Numbers(expected["input_ids"]![i]), Pad(padding, PadId, rows[i].Tokens));
            Same($"{path}.labels[{i}]", Numbers(expected["labels"]![i]), Pad(padding, Masked, Labels(rows[i])));
            Same($"{path}.attention_mask[{i}]", Numbers(expected["attention_mask"]![i]),
                Pad(padding, 0, Enumerable.Repeat(1, rows[i].Length)));
        }
    }

    private void CompareChat(string path, JsonObject expected)
    {
        Fields(path, expected, "messages", "prompt_ids", "unsafe");
        var messages = expected["messages"]!.AsArray().Select(message => new ChatMessage(
            Enum.Parse<ChatRole>(message!["role"]!.GetValue<string>(), ignoreCase: true),
            message["content"]!.GetValue<string>())).ToList();
        var template = PromptTemplate.Load("llama2");
        var row = new ConversationExample(messages);
        Same(path + ".prompt_ids", Numbers(expected["prompt_ids"]),
            SegmentEncoder.Ids(tokenizer, template.RenderPrompt(row)));
        Same(path + ".unsafe", expected["unsafe"], template.HoldsMarkers(row));
    }

    private TokenizedExample Encode(JsonObject example, EncodingOptions options) =>
        new ExampleEncoder(tokenizer, AlpacaTemplate.Standard, options).Encode(Row(example)).Example!;

    private static InstructionExample Row(JsonObject example) => new(
        example["instruction"]!.GetValue<string>(),
        example["input"]!.GetValue<string>(),
        example["output"]!.GetValue<string>());

    /// <summary>Targets moved back to the places of their tokens, masked where nothing is learned.</summary>
    private static int[] Labels(TokenizedExample row)
    {
        var first = row.LabelCount > row.TargetCount ? row.Tokens[0] : TokenizedExample.NoTarget;
        return [.. row.Targets.SkipLast(1).Prepend(first).Select(id => id == TokenizedExample.NoTarget ? Masked : id)];
    }

    private static string Text(IEnumerable<PromptSegment> segments) =>
        string.Concat(segments.Select(segment => segment.Value));

    private static IEnumerable<int> Pad(int count, int value, IEnumerable<int> row) =>
        Enumerable.Repeat(value, count).Concat(row);

    private static int[] Numbers(JsonNode? node) => [.. node!.AsArray().Select(number => number!.GetValue<int>())];

    private void Fields(string path, JsonObject found, params string[] known)
    {
        foreach (var name in found.Select(field => field.Key).Except(known))
        {
            _differences.Add($"{path}: unknown field {name}");
        }

        foreach (var name in known.Where(name => !found.ContainsKey(name)))
        {
            _differences.Add($"{path}: missing field {name}");
        }
    }

    private void Same(string path, JsonNode? expected, JsonNode? actual)
    {
        if (!JsonNode.DeepEquals(expected, actual))
        {
            _differences.Add($"{path}: expected {expected?.ToJsonString()}, found {actual?.ToJsonString()}");
        }
    }

    private void Same(string path, int[] expected, IEnumerable<int> actual)
    {
        if (!expected.SequenceEqual(actual))
        {
            _differences.Add($"{path}: expected [{string.Join(',', expected)}], found [{string.Join(',', actual)}]");
        }
    }
}
