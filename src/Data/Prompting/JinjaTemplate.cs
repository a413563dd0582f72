using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A model's own chat template, in Jinja.</summary>
/// <remarks>
/// The template gets <c>messages</c>, <c>add_generation_prompt</c>, the model's special tokens, and <c>tools</c> and
/// <c>documents</c> as none. Control tokens are those that the template writes; the same characters in a message are
/// text, whatever the template does with them. Answers are what the assistant's turns add to the text, their closing
/// token included, or what stands inside <c>{% generation %}</c>. <c>strftime_now</c> prints one day for every run, so
/// that runs can be repeated. The form is that of transformers' <c>apply_chat_template</c>.
/// </remarks>
public sealed class JinjaTemplate : ConversationTemplate
{
    /// <summary>The day that templates print which ask for today's: the one that LLaMA 3.1's template names.</summary>
    private static readonly DateTime Today = new(2024, 7, 26, 0, 0, 0, DateTimeKind.Unspecified);

    private readonly JinjaProgram _program;
    private readonly bool _runtimeBegins;
    private readonly ControlSpellings _controls;
    private readonly Dictionary<string, object?> _variables;

    /// <param name="file">The template and its special tokens.</param>
    /// <param name="tokenizer">Says which spellings are control tokens.</param>
    /// <exception cref="SafeLlamaException">It is no template, or uses what is not supported.</exception>
    public JinjaTemplate(ChatTemplateFile file, ITokenizer tokenizer)
    {
        (Source, _runtimeBegins) = (file.Source, file.RuntimeBegins);
        Name = file.Where;
        _program = JinjaProgram.Parse(file.Source, file.Where);
        _controls = new ControlSpellings(tokenizer.ControlTokens);
        var tokens = new Dictionary<string, string>(file.SpecialTokens, StringComparer.Ordinal);
        AddToken(tokens, "bos_token", tokenizer.BosId, tokenizer);
        AddToken(tokens, "eos_token", tokenizer.EosId, tokenizer);
        Identity = "jinja " + ContentHash.OfText(string.Join(
            '\n', tokens.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key} {t.Value}").Append(Source)))
            + (_runtimeBegins ? " begun by the runtime" : "");
        _variables = tokens.ToDictionary(t => t.Key, object? (t) => new MarkedText(t.Value));
        _variables["tools"] = null;
        _variables["documents"] = null;
        (EndOfTurn, Markers) = Probe();
    }

    /// <summary>The file that holds the template.</summary>
    public override string Name { get; }

    public override string Identity { get; }

    public override string? EndOfTurn { get; }

    public override IReadOnlyList<string> Markers { get; }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    public override string Jinja => Source;

    public override IEnumerable<string> Notes()
    {
        if (EndOfTurn is null)
        {
            yield return $"{Name}: the template writes no token that closes an answer, so none is learned.";
        }

        if (Source.Contains("strftime_now", StringComparison.Ordinal))
        {
            yield return $"{Name}: the template asks for today's date; every run is given {Today:yyyy-MM-dd}.";
        }
    }

    /// <inheritdoc/>
    /// <remarks>Templates of models that think cut the thoughts off all answers but the last.</remarks>
    public override bool LeavesOutPart(TrainingExample example) => example switch
    {
        ConversationExample talk => Conversation(talk.Messages).LeavesOutPart(),
        InstructionExample row =>
            Conversation([ChatMessage.User(row.Question), ChatMessage.Assistant(row.Output)]).LeavesOutPart(),
        _ => false,
    };

    /// <summary>The text of a conversation as the template writes it, the beginning of an answer last.</summary>
    internal string Text(IReadOnlyList<ChatMessage> messages, bool addsGenerationPrompt) =>
        Rendering(messages, addsGenerationPrompt).Text.Value;

    private protected override IReadOnlyList<PromptSegment> RenderPromptOf(InstructionExample row) =>
        RenderConversation([ChatMessage.User(row.Question)], row);

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row)
    {
        try
        {
            var conversation = Conversation(messages);
            return conversation.Missing() is { } left
                ? throw SafeLlamaException.InvalidData(
                    $"{Name}: the chat template leaves out message {left + 1} "
                    + $"({messages[left].Role.ToString().ToLowerInvariant()}) of this conversation; take it out, or "
                    + "choose another template.")
                : Begun(conversation.Segments());
        }
        catch (SafeLlamaException e) when (row.Source != default)
        {
            throw new SafeLlamaException(e.Code, $"{row.Place}{e.Fault}", e, e.WaysOut);
        }
    }

    /// <summary>What llama.cpp does with a GGUF file's template: BOS goes before it unless it is there.</summary>
    private IReadOnlyList<PromptSegment> Begun(IReadOnlyList<PromptSegment> segments) =>
        !_runtimeBegins || (segments is [{ Kind: SegmentKind.Control } first, ..]
            && _variables.GetValueOrDefault("bos_token") is MarkedText bos && first.Value == bos.Value)
            ? segments
            : [PromptSegment.Begin, .. segments];

    private static void AddToken(
        Dictionary<string, string> tokens, string name, int? id, ITokenizer tokenizer)
    {
        if (id is { } known && !tokens.ContainsKey(name))
        {
            tokens[name] = tokenizer.Decode([known], keepControl: true);
        }
    }

    private JinjaConversation Conversation(IReadOnlyList<ChatMessage> messages)
    {
        if (messages.Count >= short.MaxValue)
        {
            throw SafeLlamaException.InvalidData(
                $"The conversation has {messages.Count} messages, expected fewer than {short.MaxValue}.");
        }

        return new JinjaConversation(
            messages,
            (count, adds) => Rendering(count == messages.Count ? messages : [.. messages.Take(count)], adds),
            _controls);
    }

    private JinjaRendering Rendering(IReadOnlyList<ChatMessage> messages, bool addsGenerationPrompt)
    {
        var items = messages.Select(object? (message, i) => JinjaDict.Of(
            ("role", new MarkedText(message.Role.ToString().ToLowerInvariant())),
            ("content", new MarkedText(message.Content, (short)(i + 1)))));
        return _program.Render(
            _variables
                .Append(new("messages", new JinjaList([.. items])))
                .Append(new("add_generation_prompt", addsGenerationPrompt)),
            Today);
    }

    /// <summary>
    /// What closes an answer, and what stands between messages: the words of the template that are more than letters.
    /// </summary>
    private (string? EndOfTurn, IReadOnlyList<string> Markers) Probe()
    {
        var between = new List<string>();
        string? closing;
        try
        {
            var conversation = Conversation(
                [ChatMessage.User("q"), ChatMessage.Assistant("a"), ChatMessage.User("r"), ChatMessage.Assistant("b")]);
            var segments = conversation.Segments();
            closing = conversation.Closing;
            foreach (var segment in segments.SkipWhile(segment => segment.Part != SegmentPart.User)
                .Where(segment => segment.Part != SegmentPart.User))
            {
                between.AddRange(segment.Kind == SegmentKind.Control
                    ? [segment.Value]
                    : segment.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            }
        }
        catch (SafeLlamaException)
        {
            // The template refuses this simple conversation; the error of the first row gives its message.
            return (null, []);
        }

        return (closing, [.. between.Where(word => !word.All(char.IsLetter)).Distinct()]);
    }
}
