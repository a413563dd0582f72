using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>Gives rows of fields their meaning as preferences: see <see cref="PreferenceFile"/>.</summary>
internal sealed class PreferenceForms(string path)
{
    private static readonly string[] AnswerNames = ["completion", "response", "output"];

    private readonly RowNames _names = new(path);
    private readonly List<PreferenceRow> _rows = [];
    private readonly List<DataFault> _faults = [];
    private readonly List<(string Id, PreferenceSkip Why)> _skipped = [];
    private readonly SortedDictionary<string, int> _ignored = new(StringComparer.Ordinal);

    public IReadOnlyList<PreferenceRow> Rows => _rows;

    public IReadOnlyList<DataFault> Faults => _faults;

    public IReadOnlyList<(string Id, PreferenceSkip Why)> Skipped => _skipped;

    public IReadOnlyDictionary<string, int> IgnoredFields => _ignored;

    public void Add(RawRow raw)
    {
        var fields = new RowFields(raw, raw.In(path), _faults);
        var faultsBefore = _faults.Count;
        var found = Form(fields);
        var id = _names.Of(fields);
        var category = fields.Category();
        if (_faults.Count > faultsBefore)
        {
            return;
        }

        foreach (var name in fields.Unused())
        {
            _ignored[name] = _ignored.GetValueOrDefault(name) + 1;
        }

        TrainingExample? Named(TrainingExample? side) =>
            side is null ? null : side with { Id = id, Source = fields.Source, Category = category };
        var row = new PreferenceRow(Named(found.Chosen), Named(found.Rejected));
        if (Skip(row) is { } why)
        {
            _skipped.Add((id, why));
        }
        else
        {
            _rows.Add(row);
        }
    }

    private static (TrainingExample? Chosen, TrainingExample? Rejected) Form(RowFields fields)
    {
        if (fields.Has("chosen") && fields.Has("rejected"))
        {
            var prompt = Prompt(fields);
            return (Side(fields, prompt, "chosen"), Side(fields, prompt, "rejected"));
        }

        if (fields.Has("label") && (AnswerNames.FirstOrDefault(fields.Has) is not null || fields.Has("messages")))
        {
            // A conversation of its own ends with the answer that is labeled.
            var answer = AnswerNames.FirstOrDefault(fields.Has) ?? "messages";
            var side = Side(fields, answer == "messages" ? null : Prompt(fields), answer);
            return fields.Flag("label") ? (side, null) : (null, side);
        }

        fields.Fault("", "has neither \"chosen\" and \"rejected\" nor an answer (\"completion\", \"response\", "
            + $"\"output\" or \"messages\") with a \"label\"; it has {fields.Names()}.");
        return default;
    }

    /// <summary>What both answers follow; null where each brings its own conversation.</summary>
    private static TrainingExample? Prompt(RowFields fields)
    {
        if (fields.Has("messages"))
        {
            return new ConversationExample(ConversationField.Read(fields, "messages"));
        }

        if (fields.Has("conversations"))
        {
            return new ConversationExample(ConversationField.Read(fields, "conversations"));
        }

        if (fields.Has("instruction"))
        {
            return new InstructionExample(fields.Required("instruction"), fields.OptionalText("input"), "");
        }

        if (fields.Has("question"))
        {
            return new ConversationExample([.. System(fields), ChatMessage.User(fields.Required("question"))]);
        }

        if (!fields.Has("prompt"))
        {
            return null;
        }

        if (fields.KindOf("prompt") == JsonValueKind.Array)
        {
            return new ConversationExample(ConversationField.Read(fields, "prompt"));
        }

        var text = fields.Required("prompt");
        return Transcript.Read(text) is { } turns ? new ConversationExample([.. System(fields), .. turns])
            : fields.OptionalText("system") is { Length: > 0 } system
                ? new ConversationExample([ChatMessage.System(system), ChatMessage.User(text)])
                : new CompletionExample(text, "");
    }

    private static TrainingExample? Side(RowFields fields, TrainingExample? prompt, string name)
    {
        if (fields.KindOf(name) is JsonValueKind.Array or JsonValueKind.Object)
        {
            var messages = ConversationField.Read(fields, name);

            // UltraFeedback repeats the prompt as text beside conversations that hold it.
            return messages is [{ Role: ChatRole.Assistant }, ..] && prompt is not null
                ? new ConversationExample([.. Messages(prompt), .. messages])
                : new ConversationExample(messages);
        }

        var answer = fields.Answer(name);
        return prompt switch
        {
            InstructionExample row => row with { Output = answer },
            CompletionExample row => row with { Completion = answer },
            ConversationExample row => new ConversationExample([.. row.Messages, ChatMessage.Assistant(answer)]),
            _ => OwnConversation(fields, name, answer),
        };
    }

    private static ConversationExample? OwnConversation(RowFields fields, string name, string text)
    {
        if (Transcript.Read(text) is { } turns)
        {
            return new ConversationExample(turns);
        }

        fields.Fault(name, "has no prompt: expected \"instruction\", \"question\", \"prompt\" or \"messages\" beside "
            + "it, or a transcript of \"\\n\\nHuman:\" and \"\\n\\nAssistant:\" turns.");
        return null;
    }

    private static IEnumerable<ChatMessage> System(RowFields fields) =>
        fields.OptionalText("system") is { Length: > 0 } system ? [ChatMessage.System(system)] : [];

    private static IReadOnlyList<ChatMessage> Messages(TrainingExample prompt) => prompt switch
    {
        ConversationExample conversation => conversation.Messages,
        _ => [ChatMessage.User(prompt.Question)],
    };

    private static PreferenceSkip? Skip(PreferenceRow row)
    {
        var sides = new[] { row.Chosen, row.Rejected }.OfType<TrainingExample>().ToList();
        if (sides.OfType<ConversationExample>().Any(
            c => ConversationField.Disorder(c.Messages, endsWithAnswer: true) is not null))
        {
            return PreferenceSkip.TurnsOutOfOrder;
        }

        if (row is { Chosen: ConversationExample c, Rejected: ConversationExample r }
            && !c.Messages.SkipLast(1).SequenceEqual(r.Messages.SkipLast(1)))
        {
            return PreferenceSkip.PromptsDiffer;
        }

        return string.IsNullOrWhiteSpace(row.ChosenAnswer ?? "x")
            || string.IsNullOrWhiteSpace(row.RejectedAnswer ?? "x")
            ? PreferenceSkip.EmptyAnswer
            : row.IsPair && row.ChosenAnswer == row.RejectedAnswer ? PreferenceSkip.EqualAnswers : null;
    }
}
