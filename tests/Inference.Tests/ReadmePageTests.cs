using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Inference.Tests;

/// <summary>The code in README.md.</summary>
internal sealed class ReadmePageTests
{
    [Test]
    public void The_library_answers_a_prompt_in_five_lines()
    {
        var model = Path.Combine(TestFiles.Root, "assets", "miniature");
        var template = PromptTemplate.Load(Path.Combine(model, "template.json"));
        var printed = new StringWriter();
        var before = Console.Out;
        Console.SetOut(printed);
        try
        {
            // docs:README:library
            using var backend = new CpuBackend(threads: 2);
            using var session = LlamaSession.Open(backend, model, new SessionOptions { Template = template });
            var generator = new Generator(session.Model, session.Decoding(new DecodingConfig { MaxNewTokens = 40 }));
            var answers = generator.Generate([session.PromptIds("Write a guide to drying herbs.")]);
            Console.WriteLine(session.Decode(answers[0]));
            // end
        }
        finally
        {
            Console.SetOut(before);
        }

        Assert.That(printed.ToString().Trim(), Is.Not.Empty);
    }

    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("README.md");
}
