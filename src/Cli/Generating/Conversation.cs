using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Cli;

/// <summary>A conversation in the terminal: reads lines of the user and streams the answers of the model.</summary>
internal static class Conversation
{
    private const string Help = """
        /new            forget what was said
        /undo           forget the last question and its answer
        /system TEXT    say this before the conversation, which begins anew; without TEXT, nothing
        /adapter on|off use the adapter, or the model without it
        /scale X        turn the adapter down or up: 0 is the model without it, 1 the adapter as it was trained
        /help           show this
        /quit           end; so do /exit, /bye, :q, quit, exit and the end of input
        """;

    /// <summary>Reads stdin until it ends or a line says <c>/quit</c>; other commands are in its help.</summary>
    /// <param name="raw">Whether lines are continued unchanged, with their spaces.</param>
    public static void Hold(LlamaSession session, DecodingConfig config, bool raw, CancellationToken cancel)
    {
        var template = session.Template;
        var remembers = Remembers(template);
        Terminal.Note(remembers
            ? "A conversation. /help shows what can be done, /quit or the end of input ends it."
            : $"The {template.Name} template has no turns: each line is asked alone. /help shows what can be done, "
                + "/quit or the end of input ends it.");
        var dial = session.Adapter is { } adapter ? new AdapterDial(session, adapter) : null;
        var said = new List<ChatMessage>();
        while (Ask(raw) is { } line)
        {
            if (line.StartsWith('/') && Obey(line, said, session.Template, dial))
            {
                continue;
            }

            said.Add(ChatMessage.User(line));
            if (Fitting(session, said, remembers, config) is { } prompt)
            {
                said.Add(ChatMessage.Assistant(Answer(session, prompt, config, raw, cancel)));
            }
            else
            {
                said.RemoveAt(said.Count - 1);
            }
        }
    }

    /// <summary>Does what a command says; false where the line is none.</summary>
    private static bool Obey(string line, List<ChatMessage> said, PromptTemplate template, AdapterDial? dial)
    {
        var (command, text) = line.Split(' ', 2, StringSplitOptions.TrimEntries) is [var first, var rest]
            ? (first, rest) : (line, "");
        switch (command)
        {
            case "/help":
                Terminal.Notes(Help.Split('\n'));
                return true;
            case "/adapter" or "/scale" when dial is null:
                Terminal.Note("There is no adapter here; begin with --adapter DIR.");
                return true;
            case "/adapter":
                Terminal.Note(dial!.Switch(text));
                return true;
            case "/scale":
                Terminal.Note(dial!.Scale(text));
                return true;
            case "/new":
                said.RemoveAll(message => message.Role != ChatRole.System);
                return true;
            case "/undo":
                var last = said.FindLastIndex(message => message.Role == ChatRole.User);
                Terminal.Note(last < 0 ? "Nothing was said yet." : $"Forgotten: {said[last].Content}");
                said.RemoveRange(last < 0 ? said.Count : last, last < 0 ? 0 : said.Count - last);
                return true;
            case "/system" when text.Length > 0 && !CanRender(
                template, [ChatMessage.System(text), ChatMessage.User("a")]):
                Terminal.Note($"The {template.Name} template has no place for a system text.");
                return true;
            case "/system":
                said.Clear();
                said.AddRange(text.Length > 0 ? [ChatMessage.System(text)] : []);
                return true;
            default:
                Terminal.Note($"{command} is no command; /help shows them. It is asked as it stands.");
                return false;
        }
    }

    /// <summary>
    /// The prompt of what was said, the oldest turns forgotten where all of them would leave no room for an answer;
    /// null where the last line alone leaves none.
    /// </summary>
    private static int[]? Fitting(
        LlamaSession session, List<ChatMessage> said, bool remembers, DecodingConfig config)
    {
        var (template, forgotten) = (session.Template, 0);
        while (true)
        {
            List<ChatMessage> turns = remembers ? said
                : [.. said.Where(message => message.Role == ChatRole.System), said[^1]];
            var segments = remembers || turns.Count > 1
                ? template.RenderPrompt(new ConversationExample([.. turns]))
                : template.RenderPrompt(said[^1].Content);
            var ids = SegmentEncoder.Ids(session.Tokenizer, segments);
            if (ids.Length + config.MaxNewTokens <= session.Model.MaxLength)
            {
                if (forgotten > 0)
                {
                    Terminal.Note($"The conversation has outgrown the {session.Model.MaxLength} tokens the model was "
                        + $"opened for: its {forgotten} oldest turns are forgotten. /new forgets all.");
                }

                return ids;
            }

            var first = said[0].Role == ChatRole.System ? 1 : 0;
            if (!remembers || said.Count - first < 3)
            {
                Terminal.Note($"The line has {ids.Length} tokens with its template, and {config.MaxNewTokens} more for "
                    + $"the answer do not fit into the {session.Model.MaxLength} the model was opened for. Say it in "
                    + "fewer words, or begin again with a smaller --max-new-tokens or a larger --max-length.");
                return null;
            }

            said.RemoveRange(first, 2);
            forgotten++;
        }
    }

    /// <summary>Whether the template can express more than one turn.</summary>
    private static bool Remembers(PromptTemplate template) =>
        CanRender(template, [ChatMessage.User("a"), ChatMessage.Assistant("b"), ChatMessage.User("c")]);

    private static bool CanRender(PromptTemplate template, ChatMessage[] messages)
    {
        try
        {
            template.RenderPrompt(new ConversationExample(messages));
            return true;
        }
        catch (SafeLlamaException)
        {
            return false;
        }
    }

    private static string? Ask(bool raw)
    {
        while (true)
        {
            if (!Console.IsInputRedirected)
            {
                Console.Error.Write("> ");
            }

            var typed = Console.ReadLine();
            var line = typed?.Trim();
            if (line is null or "/quit" or "/exit" or "/bye" or ":q" or "quit" or "exit")
            {
                return null;
            }

            if (line.Length > 0)
            {
                return raw && !line.StartsWith('/') ? typed : line;
            }
        }
    }

    /// <summary>Shows each piece as soon as its characters are complete; beam search decides at the end.</summary>
    private static string Answer(
        LlamaSession session, int[] prompt, DecodingConfig config, bool raw, CancellationToken cancel)
    {
        IIncrementalDecoder decoder = raw
            ? new ContinuationDecoder(session.Tokenizer, prompt)
            : session.Tokenizer.StartDecoding();
        var shown = 0;
        void Show(string piece)
        {
            var text = shown == 0 && !raw ? piece.TrimStart() : piece;
            Console.Write(SafeText.ForTerminal(text));
            shown += text.Length;
        }

        var answer = new Generator(session.Model, config).Generate(
            [prompt],
            onToken: (_, token) =>
            {
                if (!config.EosIds.Contains(token))
                {
                    Show(decoder.Append(token));
                }
            },
            cancel: cancel)[0];
        var whole = raw ? session.Continuation(prompt, answer) : session.Decode(answer).Trim();
        Show(config.Beams > 1 ? whole : decoder.Finish());
        Console.WriteLine();
        return whole;
    }
}
