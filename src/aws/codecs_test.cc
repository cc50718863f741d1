// The four codecs: round trips, and input that means harm.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "aws/cbor_codec.h"
#include "aws/inflate.h"
#include "aws/json_codec.h"
#include "aws/limits.h"
#include "aws/page_token.h"
#include "aws/query_codec.h"
#include "aws/time.h"
#include "aws/xml.h"

namespace headrace::aws {
namespace {

using testing::HasSubstr;

std::string Repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(JsonCodecTest, TakesObjectsOnly) {
  EXPECT_EQ(*DecodeJson(""), Json::object());
  EXPECT_EQ(*DecodeJson(R"({"a":[1,"x\"{[",true]})"), Json({{"a", {1, "x\"{[", true}}}));
  for (const char* text :
       {"[]", "1", "{", "{}x", "{\"a\":}", "\"\\", "nul", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}"})
    EXPECT_EQ(DecodeJson(text).error().code, "SerializationException") << text;
}

TEST(JsonCodecTest, RefusesDepthAndNumber) {
  EXPECT_FALSE(DecodeJson(R"({"a":)" + Repeated("[", 1 << 20)));
  EXPECT_FALSE(DecodeJson(Repeated("{\"a\":", 100000)));
  EXPECT_FALSE(DecodeJson("{\"a\":[" + Repeated("0,", kMaxValues) + "0]}"));
  EXPECT_TRUE(DecodeJson("{\"a\":" + Repeated("[", 60) + Repeated("]", 60) + "}"));
}

TEST(JsonCodecTest, RepliesAreAlwaysUtf8) { EXPECT_EQ(EncodeJson({{"a", "\xff"}}), "{\"a\":\"\xEF\xBF\xBD\"}"); }

TEST(QueryCodecTest, BuildsListsAndMaps) {
  const auto call = DecodeQuery({{"Action", "Op"},
                                 {"Version", "2010-08-01"},
                                 {"Namespace", "n"},
                                 {"Dimensions.member.2.Name", "b"},
                                 {"Dimensions.member.1.Name", "a"},
                                 {"Dimensions.member.1.Value", "1"},
                                 {"Stats.member.10", "Z"},
                                 {"Stats.member.9", "Y"},
                                 {"Attributes.entry.1.key", "k"},
                                 {"Attributes.entry.1.value", "v"},
                                 {"X-Amz-Signature", "s"}});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->action, "Op");
  EXPECT_EQ(call->version, "2010-08-01");
  EXPECT_EQ(call->input, Json({{"Namespace", "n"},
                               {"Dimensions", {{{"Name", "a"}, {"Value", "1"}}, {{"Name", "b"}}}},
                               {"Stats", {"Y", "Z"}},
                               {"Attributes", {{"k", "v"}}}}));
}

TEST(QueryCodecTest, RefusesWhatCannotBe) {
  const auto code = [](std::vector<std::pair<std::string, std::string>> form) {
    const auto call = DecodeQuery(form);
    return call ? std::string() : call.error().code;
  };
  EXPECT_EQ(code({{"a.member.x", "1"}}), "MalformedQueryString");
  EXPECT_EQ(code({{"a", "1"}, {"a.member.1", "1"}}), "MalformedQueryString");
  EXPECT_EQ(code({{"a.entry.1.key", "k"}}), "MalformedQueryString");
  EXPECT_EQ(code({{"a..b", "1"}}), "MalformedQueryString");
  EXPECT_EQ(code({{Repeated("a.", 1000) + "a", "1"}}), "MalformedQueryString");
  EXPECT_EQ(code(std::vector<std::pair<std::string, std::string>>(kMaxParameters + 1, {"a", ""})),
            "MalformedQueryString");
}

TEST(QueryCodecTest, WritesRepliesAndErrors) {
  Service service;
  service.xml_namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/";
  service.timestamps = {"Timestamp", "Timestamps"};
  const std::string reply =
      EncodeQueryReply(service, "Get",
                       {{"Label", "a<b&\"\xff"},
                        {"Points", {{{"Timestamp", 1767323045.25}, {"Value", 0.1}, {"Good", true}, {"None", nullptr}}}},
                        {"Timestamps", {1767323045}}},
                       "r1");
  EXPECT_EQ(reply,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<GetResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><GetResult>"
            "<Label>a&lt;b&amp;&quot;\xEF\xBF\xBD</Label><Points><member><Good>true</Good>"
            "<Timestamp>2026-01-02T03:04:05.250Z</Timestamp><Value>0.1</Value></member></Points>"
            "<Timestamps><member>2026-01-02T03:04:05Z</member></Timestamps>"
            "</GetResult><ResponseMetadata><RequestId>r1</RequestId></ResponseMetadata></GetResponse>");
  EXPECT_THAT(EncodeQueryError(&service, {"Bad", "why", 400, {}, "Legacy"}, "r2"),
              HasSubstr("<Error><Type>Sender</Type><Code>Legacy</Code><Message>why</Message></Error>"
                        "<RequestId>r2</RequestId>"));
}

TEST(QueryCodecTest, WritesMapsAsEntries) {
  Service service;
  service.maps = {"Extended"};
  EXPECT_THAT(EncodeQueryReply(service, "Get", {{"Extended", {{"p50", 1.5}}}}, "r1"),
              HasSubstr("<Extended><entry><key>p50</key><value>1.5</value></entry></Extended>"));
}

TEST(CborCodecTest, GoesBothWays) {
  const Json value = {{"s", "text"},       {"i", 24},   {"n", -500},    {"big", 5000000000},
                      {"f", 0.5},          {"b", true}, {"z", nullptr}, {"l", {1, 2, {{"x", "y"}}}},
                      {"t", 1767323045.25}};
  const auto back = DecodeCbor(EncodeCbor(value, {"t"}));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, value);
  EXPECT_THAT(EncodeCbor({{"t", 1}}, {"t"}), testing::Eq("\xa1\x61t\xc1\x01"));
}

TEST(CborCodecTest, ReadsWhatOthersWrite) {
  // {_ "a": [_ 1, 2], "b": (_ "x", "y"), "c": 1(1.5 as half), "d": h'ff' }
  constexpr unsigned char kBytes[] = {0xbf, 0x61, 'a',  0x9f, 0x01, 0x02, 0xff, 0x61, 'b',  0x7f, 0x61, 'x', 0x61,
                                      'y',  0xff, 0x61, 'c',  0xc1, 0xf9, 0x3e, 0x00, 0x61, 'd',  0x41, 'z', 0xff};
  const auto value = DecodeCbor({reinterpret_cast<const char*>(kBytes), sizeof kBytes});
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, Json({{"a", {1, 2}}, {"b", "xy"}, {"c", 1.5}, {"d", "z"}}));
}

TEST(CborCodecTest, RefusesHarm) {
  for (const std::string& bytes :
       {Repeated("\x81", 100000), std::string("\xbb\xff\xff\xff\xff\xff\xff\xff\xff"), std::string("\xa1\x61"),
        std::string("\xa1\x7b\xff\xff\xff\xff\xff\xff\xff\xff"), std::string("\xa1\x01\x01"), std::string("\xa0\xa0"),
        std::string("\xa1\x61g\x1f"), std::string("\xbf"), Repeated("\xc1", 100000), std::string("\xff"),
        std::string("\x01"), "\xa1\x61g\x9f" + Repeated("\x01", kMaxValues + 1) + "\xff"})
    EXPECT_EQ(DecodeCbor(bytes).error().code, "SerializationException");
}

TEST(XmlTest, EscapesAndParses) {
  XmlWriter xml;
  xml.Open("A", "urn:x").Element("K", "a<b>&\"c\r\x01\xff\xc3\xa4").Element("N", 5).Element("B", false);
  const std::string text = xml.Finish();
  const auto document = ParseXml(text);
  ASSERT_TRUE(document);
  const auto root = (*document)->document_element();
  EXPECT_STREQ(root.child_value("K"), "a<b>&\"c\r\xEF\xBF\xBD\xEF\xBF\xBD\xc3\xa4");
  EXPECT_STREQ(root.child_value("N"), "5");
  EXPECT_STREQ(root.child_value("B"), "false");
}

TEST(XmlTest, RefersToCharactersThatItHasNot) {
  XmlWriter xml(Unspeakable::kReferred);
  xml.Element("K", "a\x01\x1f\t\xff");
  EXPECT_NE(xml.Finish().find("<K>a&#x1;&#x1f;\t\xEF\xBF\xBD</K>"), std::string::npos);
}

TEST(XmlTest, RefusesHarm) {
  for (const std::string& text : {std::string(), std::string("no"), std::string("<a>"), Repeated("<a>", 100000),
                                  std::string("<a></b>"), Repeated("<a>", 65) + Repeated("</a>", 65)})
    EXPECT_EQ(ParseXml(text).error().code, "MalformedXML") << text.substr(0, 20);
}

TEST(XmlTest, EntitiesOfADtdAreNotExpanded) {
  const auto document = ParseXml("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>");
  ASSERT_TRUE(document);
  EXPECT_STREQ((*document)->document_element().child_value(), "&e;");
}

TEST(InflateTest, IsBounded) {
  EXPECT_EQ(GunzipBody("no gzip", 100).error().code, "SerializationException");
  const std::string hello(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00", 25);
  EXPECT_EQ(*GunzipBody(hello, 5), "hello");
  EXPECT_EQ(GunzipBody(hello, 4).error().code, "SerializationException");
  EXPECT_EQ(GunzipBody(hello.substr(0, 20), 100).error().code, "SerializationException");
}

TEST(PageTokenTest, BelongsToItsListing) {
  const std::string token = MakePageToken("ListTrainingJobs", "job-1\n\xff");
  EXPECT_EQ(*ReadPageToken("ListTrainingJobs", token), "job-1\n\xff");
  EXPECT_EQ(ReadPageToken("ListTags", token).error().code, "ValidationException");
  EXPECT_EQ(ReadPageToken("ListTags", "???", "InvalidNextToken").error().code, "InvalidNextToken");
}

TEST(TimeTest, GoesBothWays) {
  EXPECT_EQ(Iso8601(1767323045000), "2026-01-02T03:04:05Z");
  EXPECT_EQ(Iso8601(1767323045678), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(Iso8601Millis(1767323045000), "2026-01-02T03:04:05.000Z");
  EXPECT_EQ(BasicIso8601(1767323045678), "20260102T030405Z");
  EXPECT_EQ(HttpDate(1767323045000), "Fri, 02 Jan 2026 03:04:05 GMT");
  EXPECT_EQ(Iso8601Millis(-1), "1969-12-31T23:59:59.999Z");
  for (const char* text : {"2026-01-02T03:04:05Z", "20260102T030405Z", "2026-01-02T05:04:05+02:00",
                           "2026-01-01T22:04:05-0500", "2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05"})
    EXPECT_EQ(ParseIso8601(text), 1767323045000) << text;
  EXPECT_EQ(ParseIso8601("2026-01-02"), 1767312000000);
  EXPECT_EQ(ParseHttpDate("Fri, 02 Jan 2026 03:04:05 GMT"), 1767323045000);
  for (const char* text : {"", "2026", "2026-13-02T03:04:05Z", "2026-01-02T25:04:05Z", "2026-01-02T03:04:05X", "x"})
    EXPECT_EQ(ParseIso8601(text), std::nullopt) << text;
  EXPECT_EQ(ParseHttpDate("Fri, 02 Foo 2026 03:04:05 GMT"), std::nullopt);
}

}  // namespace
}  // namespace headrace::aws
