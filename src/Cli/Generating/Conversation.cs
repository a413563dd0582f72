using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Cli;

/// <summary>A conversation in the terminal: lines of the user, answers of the model as they are made.</summary>
internal static class Conversation
{
    /// <summary>Reads stdin until it ends or a line says <c>/quit</c>; <c>/new</c> forgets what was said.</summary>
    public static void Hold(LlamaSession session, DecodingConfig config, CancellationToken cancel)
    {
        var template = session.Template;
        var remembers = Remembers(template);
        Terminal.Note(remembers
            ? "A conversation. /new forgets what was said, /quit or the end of input ends it."
            : $"The {template.Name} template has no turns: each line is asked alone. /quit or the end of input ends "
                + "it.");
        var said = new List<ChatMessage>();
        while (Ask() is { } line)
        {
            if (line == "/new")
            {
                said.Clear();
                continue;
            }

            said.Add(ChatMessage.User(line));
            var segments = remembers
                ? template.RenderPrompt(new ConversationExample([.. said]))
                : template.RenderPrompt(line);
            var answer = Answer(session, SegmentEncoder.Ids(session.Tokenizer, segments), config, cancel);
            said.Add(ChatMessage.Assistant(answer));
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

    private static string? Ask()
    {
        while (true)
        {
            if (!Console.IsInputRedirected)
            {
                Console.Error.Write("> ");
            }

            var line = Console.ReadLine()?.Trim();
            if (line is null or "/quit")
            {
                return null;
            }

            if (line.Length > 0)
            {
                return line;
            }
        }
    }

    /// <summary>Shows each piece as soon as its characters are complete; beam search decides at the end.</summary>
    private static string Answer(LlamaSession session, int[] prompt, DecodingConfig config, CancellationToken cancel)
    {
        var decoder = session.Tokenizer.StartDecoding();
        var shown = 0;
        void Show(string piece)
        {
            var text = shown == 0 ? piece.TrimStart() : piece;
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
        var whole = session.Decode(answer).Trim();
        Show(config.Beams > 1 ? whole : decoder.Finish());
        Console.WriteLine();
        return whole;
    }
}
