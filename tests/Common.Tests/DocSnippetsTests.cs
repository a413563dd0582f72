using SafeLlama.Testing;

namespace SafeLlama.Common.Tests;

[Category("Docs")]
public sealed class DocSnippetsTests
{
    private const string Source =
        "class T\n{\n    // docs:page:one\n    var x = 1;\n\n        Use(x);\n    // end\n}\n";

    [Test]
    public void A_page_that_shows_the_tests_code_has_no_fault()
    {
        var page = "Text.\n\n<!-- snippet: page:one -->\n```csharp\nvar x = 1;\n\n    Use(x);\n```\n";
        Assert.That(DocSnippets.Compare("page", page, [("T.cs", Source)]), Is.Empty);
    }

    [TestCase("<!-- snippet: page:one -->\n```csharp\nvar x = 2;\n```\n", "differs from T.cs")]
    [TestCase("<!-- snippet: page:two -->\n```csharp\nvar x = 1;\n```\n", "no test has the region // docs:page:two")]
    [TestCase("```csharp\nvar x = 1;\n```\n", "has no <!-- snippet")]
    [TestCase("No code at all.\n", "page:one is not shown")]
    public void A_page_that_drifts_is_named(string page, string fault) =>
        Assert.That(DocSnippets.Compare("page", page, [("T.cs", Source)]), Has.Some.Contains(fault));
}
