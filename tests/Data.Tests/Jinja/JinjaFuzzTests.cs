using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data.Tests;

public sealed class JinjaFuzzTests
{
    private const int Count = 10_000;

    private static readonly string[] Parts =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "|", "(", ")", "[", "]", "{", "}", "'", "\"", "\\", "\n", " ",
        "é😀", ":",
        "for x in messages", "endfor", "if", "endif", "else", "set ns = namespace()", "macro f(x)", "endmacro", "f(f)",
        "messages", "loop.index", "|tojson", "|map('upper')|list", "[::-1]", "* 99999999", "** 63", "range(99999)",
        "is defined", "not in", "~", "bos_token", "raise_exception('x')", "raw", "endraw", "generation", "\u2028",
    ];

    [Test]
    public void A_mutated_template_renders_or_is_refused_in_one_line()
    {
        string[] sources =
        [
            OwnTemplates.ChatMl, OwnTemplates.Llama2, OwnTemplates.Llama3, OwnTemplates.Mistral, OwnTemplates.Vicuna,
            OwnTemplates.Zephyr, .. JinjaCases.All().Select(item => item.Source),
        ];
        var random = Philox.Stream(12, "mutated templates");
        var (place, rendered) = (0L, 0);
        for (var i = 0; i < Count; i++)
        {
            var source = new StringBuilder(sources[Next(sources.Length)]);
            for (var change = Next(4) + 1; change > 0; change--)
            {
                Mutate(source, sources);
            }

            try
            {
                JinjaProgram.Parse(source.ToString(), "fuzz").Render(JinjaProgramTests.Variables, DateTime.UnixEpoch);
                rendered++;
            }
            catch (SafeLlamaException e)
            {
                Assert.That(e.Message, Does.StartWith("fuzz").And.Not.Contain('\n'), source.ToString());
            }
            catch (Exception e)
            {
                Assert.Fail($"{e.GetType().Name}: {e.Message}: {source}");
            }
        }

        // Most changes break a template; some must leave one, or only the parser would be tried.
        Assert.That(rendered, Is.InRange(Count / 10, Count - (Count / 10)));

        int Next(int bound) => random.Below(place++, Math.Max(bound, 1));

        void Mutate(StringBuilder source, string[] others)
        {
            var at = Next(source.Length + 1);
            var length = Math.Min(Next(12), source.Length - at);
            switch (Next(4))
            {
                case 0:
                    source.Remove(at, length);
                    break;
                case 1:
                    source.Insert(at, Parts[Next(Parts.Length)]);
                    break;
                case 2:
                    source.Insert(Next(source.Length + 1), source.ToString(at, length));
                    break;
                default:
                    var other = others[Next(others.Length)];
                    var from = Next(other.Length);
                    source.Insert(at, other.AsSpan(from, Math.Min(Next(40), other.Length - from)));
                    break;
            }
        }
    }
}
