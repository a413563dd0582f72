namespace SafeLlama.Data;

/// <summary>Interprets rows of fields: finds which of the forms of <see cref="TrainingExample"/> each one is.</summary>
/// <remarks>
/// The first that fits wins: <c>messages</c> or <c>conversations</c>; <c>instruction</c> with <c>output</c> (or the
/// <c>instances</c> of Self-Instruct); <c>prompt</c> with <c>completion</c> or <c>response</c>; <c>text</c>. Whatever
/// is left over is counted in <see cref="IgnoredFields"/>.
/// </remarks>
internal sealed class ExampleForms(string path, Answers answers)
{
    private static readonly string[] Known = ["messages", "conversations", "instruction", "prompt", "text"];

    /// <summary>What evaluation sets call their prompts.</summary>
    private static readonly string[] PromptNames =
        ["question", "goal", "Goal", "Behavior", "forbidden_prompt", "prompts_final", "input"];

    private readonly List<TrainingExample> _examples = [];
    private readonly List<DataFault> _faults = [];
    private readonly SortedDictionary<string, int> _ignored = new(StringComparer.Ordinal);
    private readonly RowNames _names = new(path);

    public IReadOnlyList<TrainingExample> Examples => _examples;

    public IReadOnlyList<DataFault> Faults => _faults;

    public IReadOnlyDictionary<string, int> IgnoredFields => _ignored;

    public void Add(RawRow row)
    {
        var fields = new RowFields(row, row.In(path), _faults);
        var faultsBefore = _faults.Count;
        var examples = Form(fields);
        var id = _names.Of(fields);
        var category = fields.Category();
        if (_faults.Count > faultsBefore)
        {
            return;
        }

        for (var i = 0; i < examples.Count; i++)
        {
            _examples.Add(examples[i] with
            {
                Id = examples.Count == 1 ? id : $"{id}.{i + 1}",
                Source = fields.Source,
                OriginId = fields.OptionalText("origin_id") is { Length: > 0 } origin ? origin : null,
                Category = category,
            });
        }

        foreach (var name in fields.Unused())
        {
            _ignored[name] = _ignored.GetValueOrDefault(name) + 1;
        }
    }

    private IReadOnlyList<TrainingExample> Form(RowFields fields)
    {
        if (fields.Has("messages"))
        {
            return Conversation(fields, "messages");
        }

        if (fields.Has("conversations"))
        {
            return Conversation(fields, "conversations");
        }

        if (fields.Has("instruction"))
        {
            return fields.Has("instances") ? Instances(fields) : [Instruction(fields)];
        }

        if (fields.Has("prompt"))
        {
            var answer = fields.Has("completion") ? "completion" : fields.Has("response") ? "response" : "completion";
            return [new CompletionExample(fields.Required("prompt"), Answer(fields, answer))];
        }

        if (fields.Has("text"))
        {
            var text = fields.Required("text");
            return [answers == Answers.Required ? new TextExample(text) : new InstructionExample(text, "", "")];
        }

        if (answers == Answers.Optional && PromptNames.FirstOrDefault(fields.Has) is { } name)
        {
            return [new InstructionExample(fields.Required(name), "", "")];
        }

        fields.Fault("", $"has none of the fields {string.Join(", ", Known.Select(known => $"\"{known}\""))}; "
            + $"it has {fields.Names()}.");
        return [];
    }

    private InstructionExample Instruction(RowFields fields) =>
        new(fields.Required("instruction"), fields.OptionalText("input"), Answer(fields, "output"));

    private string Answer(RowFields fields, string name)
    {
        if (answers == Answers.Optional && !fields.Has(name))
        {
            return "";
        }

        return fields.Answer(name);
    }

    private static List<TrainingExample> Instances(RowFields fields)
    {
        var instruction = fields.Required("instruction");
        return [.. fields.Objects("instances").Select(instance =>
            new InstructionExample(instruction, instance.OptionalText("input"), instance.Answer("output")))];
    }

    private TrainingExample[] Conversation(RowFields fields, string list)
    {
        var messages = ConversationField.Read(fields, list);
        if (ConversationField.Disorder(messages, endsWithAnswer: answers == Answers.Required) is { } wrong)
        {
            fields.Fault(list, wrong);
        }

        return [new ConversationExample(messages)];
    }
}
