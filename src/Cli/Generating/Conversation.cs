using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Cli;

/// <summary>A conversation in the terminal: reads lines of the user and streams the answers of the model.</summary>
internal static class Conversation
{
    /// <summary>Reads stdin until it ends or a line says <c>/quit</c>; <c>/new</c> forgets what was said.</summary>
    /// <param name="raw">Whether lines are continued unchanged, with their spaces.</param>
    public static void Hold(LlamaSession session, DecodingConfig config, bool raw, CancellationToken cancel)
    {
        var template = session.Template;
        var remembers = Remembers(template);
        Terminal.Note(remembers
            ? "A conversation. /new forgets what was said, /quit or the end of input ends it."
            : $"The {template.Name} template has no turns: each line is asked alone. /quit or the end of input ends "
                + "it.");
        var said = new List<ChatMessage>();
        while (Ask(raw) is { } line)
        {
            if (line == "/new")
            {
                said.Clear();
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
            var segments = remembers
                ? template.RenderPrompt(new ConversationExample([.. said]))
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

            if (!remembers || said.Count < 3)
            {
                Terminal.Note($"The line has {ids.Length} tokens with its template, and {config.MaxNewTokens} more for "
                    + $"the answer do not fit into the {session.Model.MaxLength} the model was opened for. Say it in "
                    + "fewer words, or begin again with a smaller --max-new-tokens or a larger --max-length.");
                return null;
            }

            said.RemoveRange(0, 2);
            forgotten++;
        }
    }

    /// <summary>Whether the template can express more than one turn.</summary>
    private static bool Remembers(PromptTemplate template)
    {
        try
        {
            template.RenderPrompt(
                new ConversationExample([ChatMessage.User("a"), ChatMessage.Assistant("b"), ChatMessage.User("c")]));
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
            if (line is null or "/quit")
            {
                return null;
            }

            if (line.Length > 0)
            {
                return raw && line != "/new" ? typed : line;
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
